import type { NodeDetails, Why } from '../../../../src/client/types.js';
import { durationText, numberText, plural } from '../../ui/format.js';
import type { GraphModel } from '../model/graph-model.js';
import { StateSymbol } from '../parts/state-symbol.js';

const mostNamed = 8;

/** What was asked for, and how it hangs together with the other nodes. */
export function NodeFacts({
  details,
  why,
  model,
  onSelect,
}: {
  details: NodeDetails;
  why: Why | null;
  model: GraphModel;
  onSelect: (id: string) => void;
}) {
  const { kind, process, entrypoint, queue, priority, time_limit, retries, trigger, when, map, items, tags, deps } =
    details;
  const followers = followersOf(model, details.id);
  const what = { barrier: 'barrier', map: 'one job for each item', command: 'command', script: process ?? 'script' }[
    kind
  ];
  return (
    <dl class="facts">
      {why !== null && why.reasons.length > 0 && (
        <>
          <dt>Waits because</dt>
          <dd>
            {why.reasons.slice(0, mostNamed).map(({ message }) => (
              <p key={message}>{message}</p>
            ))}
          </dd>
        </>
      )}
      <Fact name="Runs">
        {what}
        {entrypoint !== null && entrypoint !== 'main' && (
          <>
            {' '}
            · <code>{entrypoint}()</code>
          </>
        )}
      </Fact>
      {items !== null && <Fact name="Items">{numberText(items.count)}</Fact>}
      {map !== null && (
        <Fact name="Over">
          <code>{map.over}</code>
        </Fact>
      )}
      {queue !== null && <Fact name="Queue">{queue}</Fact>}
      {kind !== 'barrier' && (
        <Fact name="Limits">
          {[
            time_limit === null ? 'no time limit' : `at most ${durationText(time_limit * 1000)}`,
            retries === 0 ? 'no retries' : plural(retries, 'retry', 'retries'),
            `priority ${priority}`,
          ].join(' · ')}
        </Fact>
      )}
      {trigger !== 'all_succeeded' && <Fact name="Starts when">{trigger.replaceAll('_', ' ')}</Fact>}
      {when !== null && (
        <Fact name="Only if">
          <code>{when}</code>
        </Fact>
      )}
      {Object.keys(tags).length > 0 && (
        <Fact name="Tags">
          {Object.entries(tags)
            .map(([key, value]) => `${key}: ${value}`)
            .join(', ')}
        </Fact>
      )}
      {deps.length > 0 && (
        <Fact name="Waits for">
          <Names ids={deps} model={model} onSelect={onSelect} />
        </Fact>
      )}
      {followers.length > 0 && (
        <Fact name="Needed by">
          <Names ids={followers} model={model} onSelect={onSelect} />
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Names({
  ids,
  model,
  onSelect,
}: {
  ids: readonly string[];
  model: GraphModel;
  onSelect: (id: string) => void;
}) {
  return (
    <ul class="node-names">
      {ids.slice(0, mostNamed).map((id) => (
        <li key={id}>
          <button type="button" class="quiet small" onClick={() => onSelect(id)}>
            <StateSymbol state={model.named(id)?.state ?? 'waiting'} />
            {id}
          </button>
        </li>
      ))}
      {ids.length > mostNamed && <li class="faint">and {numberText(ids.length - mostNamed)} more</li>}
    </ul>
  );
}

function followersOf(model: GraphModel, id: string): string[] {
  const found: string[] = [];
  for (const node of model.all()) if (node.deps.includes(id)) found.push(node.id);
  return found;
}
