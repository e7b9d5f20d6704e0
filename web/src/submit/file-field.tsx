import { useRef, useState } from 'preact/hooks';
import { sizeText } from '../ui/format.js';
import { Icon } from '../ui/icon.js';

/** A file to choose, or to drop. */
export function FileField({
  label,
  help,
  accept,
  file,
  problem,
  onChange,
}: {
  label: string;
  help: string;
  accept?: string;
  file: File | null;
  problem?: string | null;
  onChange: (file: File | null) => void;
}) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = `file-${label.toLowerCase().replaceAll(/\W+/g, '-')}`;
  const take = (chosen: File | null) => {
    onChange(chosen);
    // The same file can be chosen again after it was taken out.
    if (chosen === null && input.current !== null) input.current.value = '';
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const first = event.dataTransfer?.files[0];
    if (first !== undefined) take(first);
  };
  return (
    <div
      class="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <Icon name={file === null ? 'submit' : 'file'} />
      <div class="drop-words">
        <label for={id}>{file === null ? label : file.name}</label>
        <p id={`${id}-help`} class="help">
          {file === null ? help : sizeText(file.size)}
        </p>
        <p class="problem" role="alert">
          {problem}
        </p>
      </div>
      <input
        ref={input}
        id={id}
        type="file"
        class="visually-hidden"
        accept={accept}
        aria-describedby={`${id}-help`}
        onChange={(event) => take(event.currentTarget.files?.[0] ?? null)}
      />
      <span class="button small" aria-hidden="true" onClick={() => input.current?.click()}>
        {file === null ? 'Choose' : 'Change'}
      </span>
      {file !== null && (
        <button type="button" class="small quiet" onClick={() => take(null)}>
          Remove<span class="visually-hidden"> {file.name}</span>
        </button>
      )}
    </div>
  );
}
