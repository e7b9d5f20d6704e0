import type { WorkflowFile, WorkflowList } from '../../../../src/client/types.js';
import { get } from '../../api/http.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { Section } from '../../ui/section.js';
import { useTitle } from '../../ui/title.js';
import { useLive } from '../../ui/use-live.js';
import { RunForm } from './run-form.js';

const ask = (signal: AbortSignal) => get<WorkflowList>('/workflows', {}, { signal });

/** The workflow files: what each does, what is wrong with it, and a run of it. */
export function WorkflowsView() {
  useTitle('Workflows');
  const { data, error, refresh } = useLive(ask, { everyMs: 5000 });
  return (
    <div class="stack">
      <h1>Workflows</h1>
      {error !== null && <ErrorNote error={error} onRetry={refresh} />}
      {data?.workflows.length === 0 && (
        <p class="card empty">There are no workflow files: programs in TypeScript that decide what runs.</p>
      )}
      {data?.workflows.map((workflow) => (
        <Workflow key={workflow.name} workflow={workflow} />
      ))}
    </div>
  );
}

function Workflow({ workflow }: { workflow: WorkflowFile }) {
  const [summary = '', ...rest] = (workflow.doc ?? '').split('\n\n');
  return (
    <Section
      title={workflow.name}
      actions={
        <span class="soft small-text">
          {workflow.file}
          {workflow.version !== null && `, version ${workflow.version}`}
        </span>
      }
    >
      <div class="stack">
        <p>{summary}</p>
        {rest.length > 0 && (
          <details>
            <summary>Documentation</summary>
            <pre class="doc" tabIndex={0} aria-label={`Documentation of ${workflow.name}`}>
              {rest.join('\n\n')}
            </pre>
          </details>
        )}
        {workflow.problems.length > 0 && (
          <div class="note note-bad">
            <Icon name="question" />
            <div>
              <p>
                {workflow.usable
                  ? 'The file as it stands cannot be used; runs get the code before:'
                  : 'It cannot be run:'}
              </p>
              <ul>
                {workflow.problems.map(({ message }) => (
                  <li key={message}>{message}</li>
                ))}
              </ul>
            </div>
          </div>
        )}
        {workflow.usable && (
          <details>
            <summary>Run it</summary>
            <RunForm workflow={workflow} />
          </details>
        )}
      </div>
    </Section>
  );
}
