import { useMemo, useState } from 'preact/hooks';
import { CopyButton } from './copy-button.js';
import { indented } from './indent-json.js';

const shownAtFirst = 20_000;

/** Any JSON, to read and to copy. @param text JSON text, which keeps the digits of its numbers */
export function JsonView({ value, text, what }: { value?: unknown; text?: string; what: string }) {
  const pretty = useMemo(() => (text === undefined ? JSON.stringify(value, null, 2) : indented(text)), [value, text]);
  const [all, setAll] = useState(false);
  const shown = all || pretty.length <= shownAtFirst ? pretty : `${pretty.slice(0, shownAtFirst)}\n…`;
  return (
    <div class="code-box">
      <div class="code-tools">
        {shown !== pretty && (
          <button type="button" class="small quiet" onClick={() => setAll(true)}>
            Show all
          </button>
        )}
        <CopyButton text={pretty} what={what} />
      </div>
      {/* Scrolls, so the keyboard has to get there. */}
      <pre tabIndex={0} aria-label={what}>
        {shown}
      </pre>
    </div>
  );
}
