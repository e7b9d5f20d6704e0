import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import './graph.css';
import type { NewGraph, Validation } from '../../../src/client/types.js';
import { post } from '../api/http.js';
import { announce } from '../ui/announce.js';
import { ErrorNote } from '../ui/error-note.js';
import { plural } from '../ui/format.js';
import { Icon } from '../ui/icon.js';
import { brokenAt, placeOf } from '../ui/json-place.js';
import { Section } from '../ui/section.js';
import { useTitle } from '../ui/title.js';
import { UploadProgress } from '../ui/upload-progress.js';
import { useUpload } from '../ui/use-upload.js';
import { formOf, partName, sorted } from './plan/document-file.js';
import { exampleGraph } from './plan/example.js';
import { PlanDrawing, PlanFacts } from './plan/plan-parts.js';
import { ProblemList } from './plan/problem-list.js';

interface Checked {
  /** The document and the files that were checked: what has changed since is not. */
  readonly text: string;
  readonly files: readonly File[];
  readonly answer: Validation;
}

/** A graph before it is sent: what is wrong with it and where, or what will happen. */
export function PlanView() {
  useTitle('New graph');
  const { route } = useLocation();
  const [text, setText] = useState('');
  const [files, setFiles] = useState<readonly File[]>([]);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [doing, setDoing] = useState<'check' | 'send' | null>(null);
  const sending = useUpload();
  const [isOver, setOver] = useState(false);
  const editor = useRef<HTMLTextAreaElement>(null);

  const check = async (document = text, given = files) => {
    setError(null);
    const broken = brokenAt(document);
    if (broken !== null) {
      setChecked(null);
      setError(new Error(`This is no JSON: ${broken.message}`));
      if (broken.at !== null) select(broken.at, broken.at + 1);
      return;
    }
    setDoing('check');
    try {
      const answer = await post<Validation>('/graphs/validate', formOf(document, given));
      setChecked({ text: document, files: given, answer });
      announce(answer.valid ? 'The graph is valid' : plural(answer.problem_count, 'problem'));
    } catch (problem) {
      setChecked(null);
      setError(problem as Error);
    }
    setDoing(null);
  };
  const send = async () => {
    setDoing('send');
    setError(null);
    try {
      const made = await sending.send<NewGraph>('/graphs', formOf(text, files));
      if (made !== null) route(`/ui/graphs/${made.id}`);
    } catch (problem) {
      setError(problem as Error);
    }
    setDoing(null);
  };
  const take = async (dropped: Iterable<File>) => {
    const { document, files: more } = await sorted([...dropped]);
    const names = new Set(more.map(({ name }) => name));
    const all = [...files.filter(({ name }) => !names.has(name)), ...more];
    const content = document === null ? text : await document.text();
    setFiles(all);
    setText(content);
    if (content.trim() !== '') await check(content, all);
  };
  const goTo = (path: string) => {
    const place = placeOf(text, path);
    if (place !== null) select(place.start, place.end);
  };
  const select = (start: number, end: number) => {
    if (editor.current === null) return;
    editor.current.focus();
    editor.current.setSelectionRange(start, end);
    scrollTo(editor.current, start);
  };
  const isCurrent = checked !== null && checked.text === text && checked.files === files;
  const plan = checked?.answer.plan ?? null;
  return (
    <div class="plan-view">
      <div class="view-head">
        <div>
          <p class="crumbs">
            <a href="/ui/graphs">Graphs</a> / new
          </p>
          <h1>New graph</h1>
        </div>
        <div class="actions">
          <button type="button" disabled={text.trim() === '' || doing !== null} onClick={() => void check()}>
            <Icon name="check" />
            {doing === 'check' ? 'Checking …' : 'Check'}
          </button>
          <button
            type="button"
            class="primary"
            disabled={!isCurrent || !checked.answer.valid || doing !== null}
            onClick={() => void send()}
          >
            <Icon name="submit" />
            Submit
          </button>
        </div>
      </div>
      {error !== null && <ErrorNote error={error} />}
      <UploadProgress upload={sending} />
      <div class="plan-columns">
        <Section
          title="Document"
          actions={
            <>
              {text === '' && (
                <button type="button" class="small" onClick={() => setText(exampleGraph)}>
                  Start with an example
                </button>
              )}
              <label class="button small">
                <Icon name="file" />
                Choose files
                <input
                  type="file"
                  class="visually-hidden"
                  multiple
                  onChange={({ currentTarget }) => {
                    void take(currentTarget.files ?? []);
                    currentTarget.value = '';
                  }}
                />
              </label>
            </>
          }
        >
          {/* biome-ignore lint/a11y/noStaticElementInteractions: the button above takes files, too */}
          <div
            class="plan-drop"
            data-over={isOver}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={(event) => {
              event.preventDefault();
              setOver(false);
              void take(event.dataTransfer?.files ?? []);
            }}
          >
            <textarea
              ref={editor}
              aria-label="Graph as JSON"
              placeholder="Paste a graph as JSON, or drop its file here, with the scripts and models that its nodes name."
              spellcheck={false}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void check();
              }}
            />
          </div>
          {files.length > 0 && (
            <ul class="plain plan-files" aria-label="Files">
              {files.map((file) => (
                <li key={file.name}>
                  <Icon name="file" />
                  <code>{partName(file.name, text)}</code>
                  <button
                    type="button"
                    class="quiet small icon-only"
                    aria-label={`Leave out ${file.name}`}
                    onClick={() => setFiles(files.filter((other) => other !== file))}
                  >
                    <Icon name="cancel" />
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Section>
        {checked !== null && plan === null && (
          <Section title={plural(checked.answer.problem_count, 'problem')} flush>
            <ProblemList problems={checked.answer.problems} onGoTo={goTo} />
          </Section>
        )}
        {checked !== null && plan !== null && (
          <Section title="Plan">
            {!isCurrent && <p class="note">Changed since it was checked.</p>}
            <PlanFacts plan={plan} />
            <PlanDrawing document={checked.text} plan={plan} onSelect={(at) => goTo(`nodes[${at}]`)} />
          </Section>
        )}
        {checked === null && (
          <Section title="Plan">
            <p class="soft">
              <kbd>Ctrl</kbd> <kbd>Enter</kbd> checks the graph: you see what is wrong and where, or what will run,
              before anything does. Nothing is kept until you submit it.
            </p>
          </Section>
        )}
      </div>
    </div>
  );
}

/** A text area does not scroll to what is selected. */
function scrollTo(editor: HTMLTextAreaElement, at: number): void {
  const lines = editor.value.slice(0, at).split('\n').length;
  const all = editor.value.split('\n').length;
  editor.scrollTop = (editor.scrollHeight * lines) / all - editor.clientHeight / 2;
}
