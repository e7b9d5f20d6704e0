import { useCallback, useState } from 'preact/hooks';
import { lazy } from 'preact-iso';
import type { OutputList } from '../../../src/client/types.js';
import { get } from '../api/http.js';
import { ErrorNote } from '../ui/error-note.js';
import { sizeText } from '../ui/format.js';
import { Icon } from '../ui/icon.js';
import { useLive } from '../ui/use-live.js';
import { ArchiveButton } from './archive-button.js';
import { Picture } from './picture.js';
import { TextPreview } from './text-preview.js';

// 3D is large: it is loaded when somebody looks at a model.
const ModelViewer = lazy(() => import('../viewer/model-viewer.js').then((module) => module.ModelViewer));

type File = NonNullable<OutputList['files']>[number];

const pictures = /\.(png|jpe?g|webp|gif|svg|bmp|avif)$/i;
const models = /\.(glb|gltf|stl|ply|obj)$/i;
const texts = /\.(json|txt|log|csv|tsv|md|xml|ya?ml|html?|py|gltf|mtl|obj|svg|ini|toml)$/i;

/** Above this a preview would make the browser wait; the download is there for all. */
const largestText = 1_000_000;
const largestModel = 300_000_000;
/** Shown without being asked for. */
const smallModel = 30_000_000;
const shownPictures = 24;
/** Each is kept in memory. */
const morePictures = 100;
const shownFiles = 100;

/** What a job has made: pictures shown, models to turn, texts to read, everything to download. */
export function Outputs({ job, live, marker }: { job: string; live: boolean; marker: string }) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new marker (a step, the end) is a new question
  const ask = useCallback(
    (signal: AbortSignal) => get<OutputList>(`/jobs/${job}/outputs`, { recursive: true }, { signal }),
    [job, marker],
  );
  // Files come while the job runs, and stay when it has ended.
  const { data, error, refresh } = useLive(ask, { everyMs: live ? 3000 : 3_600_000, keep: true });
  const [chosen, setChosen] = useState<string | null>(null);
  const [imageCount, setImageCount] = useState(shownPictures);
  const [all, setAll] = useState(false);
  if (data === null) return error === null ? null : <ErrorNote error={error} onRetry={refresh} />;
  const files = data.files ?? [];
  if (files.length === 0) return <p class="soft">{live ? 'Nothing yet.' : 'The job left no files.'}</p>;

  const images = files.filter(({ path }) => pictures.test(path));
  const model =
    files.find(({ path }) => path === chosen && models.test(path)) ??
    files.find(({ path, size }) => /\.glb$/i.test(path) && size <= smallModel);
  const read = files.find(({ path }) => path === chosen && texts.test(path) && !models.test(path));
  return (
    <div class="stack">
      {model !== undefined && (
        <ModelViewer
          key={`${model.path} ${model.modified}`}
          path={model.path}
          url={urlOf(job, model.path)}
          size={model.size}
        />
      )}
      {images.length > 0 && (
        <ul class="gallery">
          {images.slice(0, imageCount).map(({ path, modified }) => (
            <li key={path}>
              <Picture url={urlOf(job, path)} path={path} version={modified} />
            </li>
          ))}
        </ul>
      )}
      {images.length > imageCount && (
        <button type="button" class="small" onClick={() => setImageCount(imageCount + morePictures)}>
          Show {Math.min(morePictures, images.length - imageCount)} more of {images.length} pictures
        </button>
      )}
      {read !== undefined && (
        <TextPreview key={read.path} url={urlOf(job, read.path)} path={read.path} onClose={() => setChosen(null)} />
      )}
      <ul class="files">
        {(all ? files : files.slice(0, shownFiles)).map((file) => (
          <li key={file.path}>
            <Icon name="file" />
            <span class="file-name">{file.path}</span>
            <span class="faint nowrap">{sizeText(file.size)}</span>
            {canShow(file) && file !== model && (
              <button
                type="button"
                class="small quiet"
                onClick={() => setChosen(file.path)}
                aria-pressed={chosen === file.path}
              >
                View<span class="visually-hidden"> {file.path}</span>
              </button>
            )}
            <a class="button small" href={urlOf(job, file.path)} download={file.path.split('/').at(-1)}>
              <Icon name="download" />
              Download<span class="visually-hidden"> {file.path}</span>
            </a>
          </li>
        ))}
      </ul>
      {!live && (
        <div class="actions">
          <ArchiveButton job={job} />
        </div>
      )}
      {!all && files.length > shownFiles && (
        <button type="button" class="small" onClick={() => setAll(true)}>
          Show all {files.length} files
        </button>
      )}
    </div>
  );
}

function canShow({ path, size }: File): boolean {
  return models.test(path) ? size <= largestModel : texts.test(path) && size <= largestText;
}

export function urlOf(job: string, path: string): string {
  return `/jobs/${job}/outputs/${path.split('/').map(encodeURIComponent).join('/')}`;
}
