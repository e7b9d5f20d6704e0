import { useEffect, useRef, useState } from 'preact/hooks';
import { blob } from '../api/http.js';

const types: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  jpg: 'image/jpeg',
};

/**
 * A picture that a job has made, in large when it is asked for. The API sends outputs as downloads that no browser shows as a
 * page; here the content gets its type, inside an image, where nothing of it can run.
 */
export function Picture({ url, path, version }: { url: string; path: string; version: string }) {
  const [address, setAddress] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const name = path.split('/').at(-1) ?? path;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is a new picture
  useEffect(() => {
    setFailed(false);
    const ending = new AbortController();
    let made: string | null = null;
    blob(url, { signal: ending.signal }).then(
      (content) => {
        const extension = path.split('.').at(-1)?.toLowerCase() ?? '';
        made = URL.createObjectURL(new Blob([content], { type: types[extension] ?? `image/${extension}` }));
        setAddress(made);
      },
      () => setFailed(!ending.signal.aborted),
    );
    return () => {
      ending.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [url, version]);

  if (failed) return <span class="picture-missing">{name} cannot be shown</span>;
  return (
    <figure class="picture">
      <button
        type="button"
        onClick={() => dialog.current?.showModal()}
        disabled={address === null}
        aria-label={`Enlarge ${path}`}
      >
        {address !== null && <img src={address} alt="" onError={() => setFailed(true)} />}
      </button>
      <figcaption title={path}>{name}</figcaption>
      <dialog ref={dialog} class="lightbox" aria-label={path} onClick={() => dialog.current?.close()}>
        {address !== null && <img src={address} alt={name} />}
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </figure>
  );
}
