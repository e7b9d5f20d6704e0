import { useMemo, useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import './graph.css';
import { ErrorNote } from '../ui/error-note.js';
import { numberText } from '../ui/format.js';
import { LostNote } from '../ui/lost-note.js';
import { useTitle } from '../ui/title.js';
import { DrawingView } from './drawing/drawing-view.js';
import type { LiveGraph } from './model/live-graph.js';
import type { StateName } from './model/states.js';
import { NodesTable } from './nodes-table.js';
import { GroupPanel } from './panel/group-panel.js';
import { NodePanel, nodeOf } from './panel/node-panel.js';
import { GraphHead } from './parts/graph-head.js';
import { StateChips } from './parts/state-chips.js';
import { useCriticalPath } from './parts/use-critical-path.js';
import { useLiveGraph } from './parts/use-graph.js';
import type { Box } from './shape/boxes.js';
import { TimelineView } from './timeline/timeline-view.js';

const views = { drawing: 'Drawing', nodes: 'Nodes', timeline: 'Timeline' } as const;
type ViewName = keyof typeof views;

export function GraphView() {
  const { params } = useRoute();
  const graph = useLiveGraph(params['id'] as string);
  const state = graph.state.value;
  const error = graph.error.value;
  // Only what was never read whole can be asked for again: the rest is followed.
  const retry = graph.reading.value === null ? undefined : () => void graph.start();
  useTitle(state?.name ?? 'Graph');
  if (state === null) {
    return (
      <>
        <h1>Graph</h1>
        {error === null ? <p class="soft">Reading …</p> : <ErrorNote error={error} onRetry={retry} />}
      </>
    );
  }
  return (
    <div class="graph-view">
      <GraphHead graph={graph} state={state} />
      {error !== null && <ErrorNote error={error} onRetry={retry} />}
      {graph.isDeleted.value && <p class="note">This graph has been removed meanwhile.</p>}
      {!graph.isConnected.value && <LostNote />}
      <Nodes key={graph.id} graph={graph} />
    </div>
  );
}

/** What is looked at, and which node, stands in the address: a link leads there, and so does going back. */
function Nodes({ graph }: { graph: LiveGraph }) {
  const { path, query, route } = useLocation();
  const view: ViewName = query['view'] === 'nodes' || query['view'] === 'timeline' ? query['view'] : 'drawing';
  const version = graph.version.value;
  const reading = graph.reading.value;
  const total = graph.state.value?.counts.total ?? 0;
  const [group, setGroup] = useState<Box | null>(null);
  const [state, setState] = useState<StateName | null>(null);
  const [isCritical, setCritical] = useState(false);

  const go = (change: Readonly<Record<string, string | null>>) => {
    const next = new URLSearchParams(query as Record<string, string>);
    for (const [key, value] of Object.entries(change)) {
      if (value === null) next.delete(key);
      else next.set(key, value);
    }
    const text = next.toString();
    route(text === '' ? path : `${path}?${text}`, true);
  };
  const select = (id: string | null) => {
    setGroup(null);
    go({ node: id });
  };
  const critical = useCriticalPath(graph, isCritical);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the model is the same object in all its versions
  const nodes = useMemo(() => [...graph.model.all()], [graph, version]);
  if (reading !== null) {
    return (
      <p class="soft" role="status">
        Reading {numberText(reading)} of {numberText(total)} nodes …
      </p>
    );
  }
  const node = nodeOf(graph.model, query['node'] ?? null);
  const close = () => {
    select(null);
    document.querySelector<HTMLElement>('.drawing-ground')?.focus();
  };
  return (
    <>
      <div class="graph-bar">
        <nav class="tabs" aria-label="Views of the graph">
          {(Object.keys(views) as ViewName[]).map((name) => (
            <a
              key={name}
              href={`${path}?${new URLSearchParams({ ...(query as Record<string, string>), view: name })}`}
              aria-current={name === view ? 'page' : undefined}
            >
              {views[name]}
            </a>
          ))}
        </nav>
        <StateChips
          counts={graph.model.counts}
          chosen={view === 'nodes' ? state : null}
          onChoose={(chosen) => {
            setState(chosen === state && view === 'nodes' ? null : chosen);
            go({ view: 'nodes' });
          }}
        />
      </div>
      <div class="graph-main" data-panel={node !== null || group !== null}>
        <div class="graph-stage">
          {view === 'drawing' && (
            <DrawingView
              model={graph.model}
              version={version}
              criticalPath={isCritical ? critical : null}
              onCriticalPath={setCritical}
              selected={node?.number ?? null}
              onSelect={(box) => {
                if (box.kind === 'group') setGroup(box);
                else select(graph.model.node(box.members[0] as number)?.id ?? null);
              }}
              onLeave={close}
            />
          )}
          {view === 'nodes' && (
            <div class="card">
              <NodesTable
                nodes={nodes}
                isNarrow={node !== null}
                selected={node?.id ?? null}
                state={state}
                onState={setState}
                onSelect={select}
              />
            </div>
          )}
          {view === 'timeline' && <TimelineView graph={graph} selected={node?.number ?? null} onSelect={select} />}
        </div>
        {node !== null && <NodePanel key={node.id} graph={graph} node={node} onSelect={select} onClose={close} />}
        {node === null && group !== null && (
          <GroupPanel graph={graph} box={group} onSelect={select} onClose={() => setGroup(null)} />
        )}
      </div>
    </>
  );
}
