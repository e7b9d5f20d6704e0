import { CopyButton } from '../ui/copy-button.js';

/** Why a job failed: the last line says it, the rest says where. */
export function Traceback({ text }: { text: string }) {
  const lines = text.trimEnd().split('\n');
  const last = lines.findLast((line) => line.trim() !== '' && !line.startsWith(' ')) ?? lines.at(-1) ?? '';
  const isShort = lines.length <= 1;
  return (
    <div class="traceback">
      <p class="traceback-cause">{last}</p>
      {!isShort && (
        <div class="code-box">
          <div class="code-tools">
            <CopyButton text={text} what="traceback" />
          </div>
          <pre tabIndex={0} aria-label="Traceback">
            {text}
          </pre>
        </div>
      )}
    </div>
  );
}
