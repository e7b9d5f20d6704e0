import { Icon } from './icon.js';
import { ProgressBar } from './progress-bar.js';
import type { Upload } from './use-upload.js';

export function UploadProgress({ upload: { done, stop } }: { upload: Upload }) {
  if (done === null) return null;
  return (
    <>
      <ProgressBar value={Math.round(done * 100)} label="Upload" />
      {/* What has arrived is being taken in: only the job itself can be cancelled then. */}
      {done < 1 && (
        <button type="button" onClick={stop}>
          <Icon name="cancel" />
          Stop sending
        </button>
      )}
    </>
  );
}
