import type { AskedJob } from '../../../src/client/types.js';
import { durationText } from '../ui/format.js';
import { JsonView } from '../ui/json-view.js';

/** What was asked for. */
export function Request({ asked }: { asked: AskedJob }) {
  const { params, command } = asked;
  return (
    <div class="stack">
      <dl class="facts">
        {command !== null ? (
          <Fact name="Command">
            <code>{command.join(' ')}</code>
          </Fact>
        ) : (
          <Fact name={asked.script === null ? 'Process' : 'Script'}>
            {asked.script ?? asked.process}
            {asked.entrypoint !== 'main' && (
              <>
                , function <code>{asked.entrypoint}</code>
              </>
            )}
          </Fact>
        )}
        <Fact name="Input">{asked.input ?? 'none'}</Fact>
        {asked.root_file !== null && <Fact name="Main file in it">{asked.root_file}</Fact>}
        <Fact name="Queue">{asked.queue}</Fact>
        <Fact name="Time limit">{asked.time_limit === null ? 'none' : durationText(asked.time_limit * 1000)}</Fact>
      </dl>
      {params !== null && params !== '{}' && <JsonView text={params} what="Parameters" />}
    </div>
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
