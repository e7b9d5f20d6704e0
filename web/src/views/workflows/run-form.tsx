import { useMemo, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { NewRun, WorkflowFile } from '../../../../src/client/types.js';
import { upload } from '../../api/http.js';
import { FileField } from '../../submit/file-field.js';
import { ParamFields } from '../../submit/param-fields.js';
import { paramsText, type Typed } from '../../submit/params-text.js';
import { schemaParams } from '../../submit/schema-params.js';
import { announce } from '../../ui/announce.js';
import { ErrorNote } from '../../ui/error-note.js';

/** Starts a run: its input from the schema that the file exports, or as JSON, and a file. */
export function RunForm({ workflow: { name, input } }: { workflow: WorkflowFile }) {
  const { route } = useLocation();
  const params = useMemo(() => schemaParams(input), [input]);
  const [typed, setTyped] = useState<Typed>({});
  const [json, setJson] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [part, setPart] = useState('model');
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const [refusal, setRefusal] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    const made = paramsText(params, typed);
    setProblems(made.problems);
    if (Object.keys(made.problems).length > 0 || busy) return;
    setBusy(true);
    setRefusal(null);
    const form = new FormData();
    form.set('run', `{"input": ${params.length > 0 ? made.text : json.trim() || 'null'}}`);
    if (file !== null) form.set(part, file);
    try {
      const { id } = await upload<NewRun>(`/workflows/${encodeURIComponent(name)}`, form);
      announce('The run has started');
      route(`/ui/graphs/${id}`);
    } catch (error) {
      setRefusal(error as Error);
      setBusy(false);
    }
  };
  const id = `run-${name}`;
  return (
    <form class="stack run-form" onSubmit={(event) => void submit(event)} noValidate>
      {params.length > 0 ? (
        <ParamFields
          prefix={id}
          params={params}
          typed={typed}
          problems={problems}
          onChange={(param, value) => setTyped((before) => ({ ...before, [param]: value }))}
        />
      ) : (
        <div class="field">
          <label for={`${id}-json`}>Input as JSON</label>
          <textarea id={`${id}-json`} rows={3} value={json} onInput={(event) => setJson(event.currentTarget.value)} />
        </div>
      )}
      <FileField label={`File for ${name}`} help="Where the workflow takes one." file={file} onChange={setFile} />
      {file !== null && (
        <div class="field">
          <label for={`${id}-part`}>What the workflow calls it</label>
          <input id={`${id}-part`} type="text" value={part} onInput={(event) => setPart(event.currentTarget.value)} />
        </div>
      )}
      {refusal !== null && <ErrorNote error={refusal} />}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy}>
          Run<span class="visually-hidden"> {name}</span>
        </button>
      </div>
    </form>
  );
}
