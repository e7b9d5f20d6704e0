import { useId, useRef, useState } from 'preact/hooks';
import { post } from '../api/http.js';
import { announce } from '../ui/announce.js';
import { Icon } from '../ui/icon.js';

/** Stops a queue from handing out jobs, or lets it go on. */
export function PauseButton({ queue, paused, onDone }: { queue: string; paused: boolean; onDone: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const path = `/queues/${encodeURIComponent(queue)}`;
  const run = async (call: () => Promise<unknown>, done: string) => {
    setBusy(true);
    setProblem(null);
    try {
      await call();
      announce(`Queue ${queue} ${done}`);
      dialog.current?.close();
      onDone();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const told = (
    <p class="problem" role="alert">
      {problem}
    </p>
  );
  if (paused) {
    return (
      <>
        <button
          type="button"
          class="small"
          disabled={busy}
          onClick={() => void run(() => post(`${path}/resume`), 'goes on')}
        >
          <Icon name="play" />
          Resume<span class="visually-hidden"> queue {queue}</span>
        </button>
        {told}
      </>
    );
  }
  const pause = (event: Event) => {
    event.preventDefault();
    void run(() => post(`${path}/pause`, reason === '' ? {} : { reason }), 'is paused');
  };
  return (
    <>
      <button type="button" class="small" onClick={() => dialog.current?.showModal()}>
        <Icon name="pause" />
        Pause<span class="visually-hidden"> queue {queue}</span>
      </button>
      <dialog ref={dialog} class="card ask" aria-labelledby={id}>
        <form method="dialog" onSubmit={pause}>
          <p id={id}>
            Pause queue <strong>{queue}</strong>? What runs goes on, what comes waits.
          </p>
          <div class="field">
            <label for={`${id}-reason`}>Reason, for the others</label>
            <input
              id={`${id}-reason`}
              type="text"
              maxLength={500}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </div>
          {told}
          <div class="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
            <button type="submit" class="primary" disabled={busy}>
              Pause
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
