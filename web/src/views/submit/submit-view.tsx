import { useCallback, useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { JobState } from '../../../../src/client/types.js';
import { post } from '../../api/http.js';
import { useOnce } from '../../job/use-job.js';
import type { EntryFacts, Process } from '../../submit/entry-facts.js';
import { FileField } from '../../submit/file-field.js';
import { jobForm, noSettings, type Settings } from '../../submit/job-form.js';
import { ParamFields } from '../../submit/param-fields.js';
import { paramsText, type Typed } from '../../submit/params-text.js';
import { SettingsFields } from '../../submit/settings-fields.js';
import { announce } from '../../ui/announce.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Section } from '../../ui/section.js';
import { useTitle } from '../../ui/title.js';
import { UploadProgress } from '../../ui/upload-progress.js';
import { useUpload } from '../../ui/use-upload.js';

/** A new job: a shipped process or a script, an input, parameters, and how to run it. */
export function SubmitView() {
  useTitle('Submit');
  const { query, route } = useLocation();
  const { data, error } = useOnce<{ details: readonly Process[] }>('/processes?details=true');
  const [process, setProcess] = useState<string | null>(query['process'] ?? null);
  const [own, setOwn] = useState(false);
  const [script, setScript] = useState<File | null>(null);
  const [entrypoint, setEntrypoint] = useState('main');
  const [file, setFile] = useState<File | null>(null);
  const [typed, setTyped] = useState<Typed>({});
  const [json, setJson] = useState<string | null>(null);
  const [settings, setSettings] = useState<Settings>(noSettings);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const sending = useUpload();
  const sent = sending.done;
  const [refusal, setRefusal] = useState<Error | null>(null);
  const inspected = useInspection(own ? script : null, entrypoint);

  const processes = data?.details ?? [];
  const picked = processes.find(({ name }) => name === process) ?? processes[0];
  const facts: EntryFacts | null = own ? inspected.facts : (picked ?? null);
  const params = facts?.params ?? [];
  /** Before the processes are known, there is nothing that could be sent. */
  const ready = own || picked !== undefined;

  const choose = (name: string | null) => {
    setOwn(name === null);
    if (name !== null) setProcess(name);
    setTyped({});
    setJson(null);
    setProblems({});
    setRefusal(null);
  };
  /** What is changed is looked at anew with the next try. */
  const corrected = (name: string) => {
    if (name in problems) setProblems(Object.fromEntries(Object.entries(problems).filter(([key]) => key !== name)));
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (sent !== null || !ready) return;
    const entry = {
      process: own ? null : (picked?.name ?? null),
      script,
      entrypoint,
      file,
      params,
      typed,
      json,
      settings,
    };
    const made = jobForm(entry);
    setRefusal(null);
    if ('problems' in made) {
      setProblems(made.problems);
      announce('Some fields need another look');
      // The first of them, once it is drawn as such.
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setProblems({});
    try {
      const job = await sending.send<JobState>('/jobs', made.form, { 'idempotency-key': newKey() });
      announce(job === null ? 'Nothing was sent' : 'The job was sent');
      if (job !== null) route(`/ui/jobs/${job.uuid}`);
    } catch (problem) {
      setRefusal(problem as Error);
    }
  };

  return (
    <form class="submit" onSubmit={(event) => void submit(event)} noValidate>
      <div class="view-head">
        <h1>Submit a job</h1>
      </div>
      {error !== null && <ErrorNote error={error} />}
      <div class="submit-columns">
        <div class="stack">
          <fieldset class="card section">
            <legend class="visually-hidden">What is to run</legend>
            <header>
              <h2>What is to run</h2>
            </header>
            <div class="section-body choices">
              {processes.map(({ name, summary }) => (
                <label key={name} class="choice">
                  <input
                    type="radio"
                    name="process"
                    aria-labelledby={`choice-${name}`}
                    aria-describedby={`choice-${name}-help`}
                    checked={!own && picked?.name === name}
                    onChange={() => choose(name)}
                  />
                  <span>
                    <span id={`choice-${name}`} class="choice-name">
                      {name}
                    </span>
                    <span id={`choice-${name}-help`} class="help">
                      {summary}
                    </span>
                  </span>
                </label>
              ))}
              <label class="choice">
                <input
                  type="radio"
                  name="process"
                  aria-labelledby="choice-own"
                  aria-describedby="choice-own-help"
                  checked={own}
                  onChange={() => choose(null)}
                />
                <span>
                  <span id="choice-own" class="choice-name">
                    A script of mine
                  </span>
                  <span id="choice-own-help" class="help">
                    A Python file with a function that gets a context and parameters.
                  </span>
                </span>
              </label>
            </div>
          </fieldset>
          {own && (
            <Section title="Script">
              <div class="stack">
                <FileField
                  label="Python script"
                  help="Choose a file, or drop it here."
                  accept=".py,text/x-python"
                  file={script}
                  problem={problems['script'] ?? inspected.problem}
                  onChange={(chosen) => {
                    setScript(chosen);
                    corrected('script');
                  }}
                />
                <div class="field">
                  <label for="entrypoint">Function</label>
                  <input
                    id="entrypoint"
                    type="text"
                    value={entrypoint}
                    onInput={(event) => setEntrypoint(event.currentTarget.value.trim())}
                  />
                </div>
              </div>
            </Section>
          )}
          <Section title="Input">
            <FileField
              label="Input file"
              help={facts?.input ?? 'A 3D file, an archive, anything: choose it, or drop it here.'}
              file={file}
              onChange={setFile}
            />
          </Section>
          <Section
            title="Parameters"
            actions={
              params.length > 0 && (
                <button
                  type="button"
                  class="small"
                  aria-pressed={json !== null}
                  onClick={() => setJson(json === null ? paramsText(params, typed).text : null)}
                >
                  As JSON
                </button>
              )
            }
          >
            {params.length > 0 && json === null ? (
              <ParamFields
                params={params}
                typed={typed}
                problems={problems}
                onChange={(name, value) => {
                  setTyped((before) => ({ ...before, [name]: value }));
                  corrected(name);
                }}
              />
            ) : (
              <JsonField
                value={json ?? ''}
                problem={problems['json']}
                help={
                  own ? 'Any JSON: the script gets it as its second argument.' : 'This process takes no parameters.'
                }
                onChange={(text) => {
                  setJson(text);
                  corrected('json');
                }}
              />
            )}
          </Section>
        </div>
        <div class="stack">
          <Section title="How to run it">
            <SettingsFields
              settings={settings}
              defaults={facts?.settings ?? {}}
              problems={problems}
              onChange={(changes) => {
                setSettings((before) => ({ ...before, ...changes }));
                for (const name of Object.keys(changes)) corrected(name.replace(/[A-Z]/g, '_$&').toLowerCase());
              }}
            />
          </Section>
          {facts !== null && (
            <Section title="Documentation">
              <pre class="doc" tabIndex={0} aria-label="Documentation of what is to run">
                {facts.doc.replace(/^Process '.*' documentation:\s*/, '')}
              </pre>
            </Section>
          )}
          <div class="card submit-end">
            {refusal !== null && <ErrorNote error={refusal} />}
            <button type="submit" class="primary" disabled={sent !== null || !ready}>
              {sent === null ? 'Submit' : sent < 1 ? `Sending, ${Math.round(sent * 100)} %` : 'Checking …'}
            </button>
            <UploadProgress upload={sending} />
          </div>
        </div>
      </div>
    </form>
  );
}

function JsonField({
  value,
  problem,
  help,
  onChange,
}: {
  value: string;
  problem: string | undefined;
  help: string;
  onChange: (text: string) => void;
}) {
  return (
    <div class="field">
      <label for="params-json">Parameters as JSON</label>
      <textarea
        id="params-json"
        rows={5}
        spellcheck={false}
        placeholder="{}"
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby="params-json-help"
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <p id="params-json-help" class={problem === undefined ? 'help' : 'problem'}>
        {problem ?? help}
      </p>
    </div>
  );
}

/** crypto.randomUUID is there over https alone. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

interface Inspection {
  readonly facts: EntryFacts | null;
  readonly problem: string | null;
}

const nothing: Inspection = { facts: null, problem: null };

/** What a script says of itself, before it is sent to run. It is read, not run. */
function useInspection(script: File | null, entrypoint: string): Inspection {
  const [state, setState] = useState<Inspection>(nothing);
  const look = useCallback(async (file: File, name: string, signal: AbortSignal) => {
    const form = new FormData();
    form.set('entrypoint', name === '' ? 'main' : name);
    form.set('script', file);
    const answer = await post<{ ok: boolean; problem: string | null } & EntryFacts>('/scripts/inspect', form, {
      signal,
    });
    setState(answer.ok ? { facts: answer, problem: null } : { facts: null, problem: answer.problem });
  }, []);
  useEffect(() => {
    setState(nothing);
    if (script === null) return;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      look(script, entrypoint, ending.signal).catch((error: Error) => {
        if (!ending.signal.aborted) setState({ facts: null, problem: error.message });
      });
    }, 150);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [script, entrypoint, look]);
  return state;
}
