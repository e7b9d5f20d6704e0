import { useEffect, useState } from 'preact/hooks';
import { text } from '../api/http.js';
import { JsonView } from '../ui/json-view.js';

/** A small text that a job has made. */
export function TextPreview({ url, path, onClose }: { url: string; path: string; onClose: () => void }) {
  const [content, setContent] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const ending = new AbortController();
    text(url, {}, { signal: ending.signal }).then(setContent, (error: Error) => {
      if (!ending.signal.aborted) setProblem(error.message);
    });
    return () => ending.abort();
  }, [url]);
  return (
    <div class="preview">
      <div class="preview-head">
        <h3>{path}</h3>
        <button type="button" class="small quiet" onClick={onClose}>
          Close<span class="visually-hidden"> {path}</span>
        </button>
      </div>
      {problem !== null && <p class="problem">{problem}</p>}
      {content !== null &&
        (isJson(path, content) ? (
          <JsonView text={content} what={path} />
        ) : (
          <div class="code-box">
            <pre tabIndex={0} aria-label={path}>
              {content}
            </pre>
          </div>
        ))}
    </div>
  );
}

function isJson(path: string, content: string): boolean {
  if (!/\.json$/i.test(path)) return false;
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}
