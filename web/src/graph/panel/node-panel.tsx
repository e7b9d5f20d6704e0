import { useCallback, useState } from 'preact/hooks';
import type { NodeDetails, Why } from '../../../../src/client/types.js';
import { get, post, text } from '../../api/http.js';
import { Attempts } from '../../job/attempts.js';
import { type Details, detailsOf } from '../../job/details.js';
import { Outputs } from '../../job/outputs.js';
import { Steps } from '../../job/steps.js';
import { Traceback } from '../../job/traceback.js';
import { announce } from '../../ui/announce.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { JsonView } from '../../ui/json-view.js';
import { LogView } from '../../ui/log-view.js';
import { StateBadge } from '../../ui/state-badge.js';
import { useLive } from '../../ui/use-live.js';
import type { GraphModel, GraphNode } from '../model/graph-model.js';
import type { LiveGraph } from '../model/live-graph.js';
import { isEnd } from '../model/states.js';
import { ActionButton } from '../parts/action-button.js';
import { NodeFacts } from './node-facts.js';
import { Panel } from './panel.js';

interface Facts {
  readonly node: NodeDetails;
  /** null: it has no job, or none yet. */
  readonly job: Details | null;
  readonly why: Why | null;
}

/** Everything known of one node, current while it runs. */
export function NodePanel({
  graph,
  node,
  onSelect,
  onClose,
}: {
  graph: LiveGraph;
  node: GraphNode;
  onSelect: (id: string) => void;
  onClose: () => void;
}) {
  const [problem, setProblem] = useState<Error | null>(null);
  const { id } = node;
  const ask = useCallback((signal: AbortSignal) => factsOf(graph.id, id, signal), [graph, id]);
  const { data, error, refresh } = useLive(ask, { everyMs: isEnd(node.state) ? 10_000 : 1000, keep: true });
  const facts = data?.node.id === id ? data : null;
  const job = facts?.job ?? null;
  return (
    <Panel
      title={node.label}
      subject={id}
      onClose={onClose}
      head={
        <>
          <div class="panel-state">
            <StateBadge state={node.state} progress={node.progress} />
            {node.label !== id && <span class="mono soft">{id}</span>}
          </div>
          <NodeActions graph={graph} node={node} onDone={refresh} onError={setProblem} details={facts?.node ?? null} />
        </>
      }
    >
      {problem !== null && <ErrorNote error={problem} />}
      {error !== null && facts === null && <ErrorNote error={error} onRetry={refresh} />}
      {facts !== null && (
        <>
          <Failure node={facts.node} job={job} />
          <NodeFacts details={facts.node} why={facts.why} model={graph.model} onSelect={onSelect} />
          {facts.node.attempts.length > 0 && (
            <>
              <h3>Attempts</h3>
              <Attempts attempts={facts.node.attempts} />
            </>
          )}
          {job?.steps != null && job.steps.length > 0 && (
            <>
              <h3>Steps</h3>
              <Steps steps={job.steps} started={job.time_info.started} running={job.status === 'RUNNING'} />
            </>
          )}
          {facts.node.job !== null && facts.node.attempts.length > 0 && (
            <>
              <h3>Log</h3>
              <LogView key={facts.node.job} job={facts.node.job} />
            </>
          )}
          {facts.node.params !== null && facts.node.params !== '{}' && (
            <>
              <h3>Parameters</h3>
              <JsonView text={facts.node.params} what="parameters" />
            </>
          )}
          {facts.node.command !== null && (
            <>
              <h3>Command</h3>
              <JsonView value={facts.node.command} what="command" />
            </>
          )}
          {node.state === 'succeeded' && job !== null && (
            <>
              <h3>Result</h3>
              <JsonView text={job.resultText} what="result" />
            </>
          )}
          {isEnd(node.state) && job !== null && (
            <>
              <h3>Outputs</h3>
              <Outputs job={job.uuid} live={false} marker={node.state} />
            </>
          )}
        </>
      )}
    </Panel>
  );
}

async function factsOf(graph: string, id: string, signal: AbortSignal): Promise<Facts> {
  const path = `/graphs/${graph}/nodes/${encodeURIComponent(id)}`;
  const node = await get<NodeDetails>(path, {}, { signal });
  const hasStarted = node.job !== null && node.attempts.length > 0;
  const isWaiting = node.state === 'waiting' || node.state === 'queued';
  const [job, why] = await Promise.all([
    hasStarted ? text(`/jobs/${node.job}/details`, {}, { signal }).then(detailsOf) : null,
    isWaiting ? get<Why>(`${path}/why`, {}, { signal }) : null,
  ]);
  return { node, job, why };
}

/** Why it did not succeed: the traceback where there is one, else what the graph says. */
function Failure({ node, job }: { node: NodeDetails; job: Details | null }) {
  if (node.state === 'succeeded' || node.message === null || node.message === '') return null;
  if (job?.error != null) return <Traceback text={job.error} />;
  return (
    <p class="failure" data-tone={node.state === 'failed' ? 'bad' : 'off'}>
      {node.message}
    </p>
  );
}

function NodeActions({
  graph,
  node,
  details,
  onDone,
  onError,
}: {
  graph: LiveGraph;
  node: GraphNode;
  details: NodeDetails | null;
  onDone: () => void;
  onError: (error: Error | null) => void;
}) {
  const isGraphOver = graph.state.value?.time_info.stopped != null;
  const canRetry = !isGraphOver && (node.state === 'failed' || node.state === 'revoked' || node.state === 'skipped');
  return (
    <div class="actions">
      {!isEnd(node.state) && !isGraphOver && (
        <ActionButton
          icon="stop"
          className="small danger"
          ask={[`“${node.label}” is cancelled, and with it what needs it.`, 'Cancel the node']}
          act={async () => {
            await post(`/graphs/${graph.id}/nodes/cancel`, { ids: [node.id] });
            announce('The node is cancelled');
            onDone();
          }}
          onError={onError}
        >
          Cancel
        </ActionButton>
      )}
      {canRetry && (
        <ActionButton
          icon="retry"
          className="small"
          act={async () => {
            await post(`/graphs/${graph.id}/nodes/${encodeURIComponent(node.id)}/retry`);
            announce('The node runs again');
            onDone();
          }}
          onError={onError}
        >
          Retry
        </ActionButton>
      )}
      {details?.job != null && (
        <a class="button small" href={`/ui/jobs/${details.job}`}>
          Its job
        </a>
      )}
      {details?.links['temporal'] !== undefined && (
        <a class="button small" href={details.links['temporal']} target="_blank" rel="noreferrer">
          Temporal <Icon name="external" />
        </a>
      )}
    </div>
  );
}

/** As in the calls of the API: by its id, or its number. */
export function nodeOf(model: GraphModel, id: string | null): GraphNode | null {
  return id === null ? null : (model.named(id) ?? model.node(Number(id)) ?? null);
}
