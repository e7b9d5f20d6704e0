import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { GraphState, NewGraph } from '../../../../src/client/types.js';
import { post, remove } from '../../api/http.js';
import { announce } from '../../ui/announce.js';
import { now } from '../../ui/clock.js';
import { ErrorNote } from '../../ui/error-note.js';
import { durationText, exactTime, numberText, plural, timeOf } from '../../ui/format.js';
import { Icon } from '../../ui/icon.js';
import { StateBadge } from '../../ui/state-badge.js';
import type { LiveGraph } from '../model/live-graph.js';
import { endedOf } from '../model/states.js';
import { ActionButton } from './action-button.js';

/** What the graph is and how far, and what can be done to it. */
export function GraphHead({ graph, state }: { graph: LiveGraph; state: GraphState }) {
  const { name, id, time_info, message, links, parent, retry_of, labels, workflow } = state;
  const [problem, setProblem] = useState<Error | null>(null);
  return (
    <>
      <div class="view-head">
        <div>
          <p class="crumbs">
            <a href="/ui/graphs">Graphs</a> / <span class="mono">{id.slice(0, 8)}</span>
          </p>
          <h1>{name ?? 'Graph without a name'}</h1>
          <div class="sub">
            <StateBadge state={state.state} />
            {state.mode === 'open' && <span>open for more nodes</span>}
            <Progress graph={graph} state={state} />
            {time_info.started !== null && (
              <span title={exactTime(timeOf(time_info.started))}>
                {durationText(
                  (time_info.stopped === null ? now.value : timeOf(time_info.stopped)) - timeOf(time_info.started),
                )}
              </span>
            )}
            {workflow !== null && <span>workflow {workflow.name}</span>}
            {parent !== null && <a href={`/ui/jobs/${parent}`}>sent by a job</a>}
            {retry_of !== null && <a href={`/ui/graphs/${retry_of}`}>repeats a graph</a>}
            {Object.entries(labels).map(([key, value]) => (
              <span key={key} class="label">
                {key}: {value}
              </span>
            ))}
            {links['temporal'] !== undefined && (
              <a href={links['temporal']} target="_blank" rel="noreferrer">
                Trace in Temporal <Icon name="external" />
              </a>
            )}
          </div>
        </div>
        <Actions graph={graph} state={state} onError={setProblem} />
      </div>
      {problem !== null && <ErrorNote error={problem} />}
      {message !== null && state.state !== 'succeeded' && (
        <p class="graph-message" data-tone={state.state === 'failed' ? 'bad' : 'off'}>
          {message}
        </p>
      )}
    </>
  );
}

/** Counted from the nodes that the page has, so that it goes along with the drawing. */
function Progress({ graph, state }: { graph: LiveGraph; state: GraphState }) {
  void graph.version.value;
  const isRead = graph.reading.value === null;
  const total = isRead ? graph.model.size : state.counts.total;
  const done = endedOf(isRead ? graph.model.counts : state.counts);
  return (
    <span>
      {numberText(done)} of {plural(total, 'node')} done
    </span>
  );
}

function Actions({
  graph,
  state: { state, id, mode, time_info, workflow },
  onError,
}: {
  graph: LiveGraph;
  state: GraphState;
  onError: (error: Error | null) => void;
}) {
  const { route } = useLocation();
  const tell = (call: string, words: string) => async () => {
    await post(`/graphs/${id}/${call}`);
    announce(words);
    await graph.refresh();
  };
  const isOver = time_info.stopped !== null;
  return (
    <div class="actions">
      {!isOver && state !== 'paused' && (
        <ActionButton icon="pause" act={tell('pause', 'The graph is paused')} onError={onError}>
          Pause
        </ActionButton>
      )}
      {state === 'paused' && (
        <ActionButton icon="play" act={tell('resume', 'The graph goes on')} onError={onError}>
          Resume
        </ActionButton>
      )}
      {mode === 'open' && !isOver && (
        <ActionButton
          icon="check"
          ask={['No more nodes can be added then, and the graph ends when those that are there have.', 'Close it']}
          act={tell('close', 'The graph is closed')}
          onError={onError}
        >
          Close
        </ActionButton>
      )}
      {!isOver && (
        <ActionButton
          icon="stop"
          className="danger"
          ask={['Everything that runs is stopped, and what waits does not start.', 'Cancel the graph']}
          act={tell('cancel?wait=20', 'The graph is cancelled')}
          onError={onError}
        >
          Cancel
        </ActionButton>
      )}
      {isOver && state !== 'succeeded' && workflow === null && (
        <ActionButton
          icon="retry"
          act={async () => {
            const made = await post<NewGraph>(`/graphs/${id}/retry`);
            announce(`A new graph runs what did not succeed; ${plural(made.kept ?? 0, 'node')} kept`);
            route(`/ui/graphs/${made.id}`);
          }}
          onError={onError}
        >
          Retry what failed
        </ActionButton>
      )}
      {isOver && (
        <ActionButton
          icon="trash"
          className="danger"
          ask={['The graph is removed, with all its jobs, logs and outputs.', 'Remove it']}
          act={async () => {
            await remove(`/graphs/${id}`);
            announce('The graph was removed');
            route('/ui/graphs');
          }}
          onError={onError}
        >
          Remove
        </ActionButton>
      )}
    </div>
  );
}
