import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';

/** A button that asks before it does what cannot be taken back. */
export function ConfirmButton({
  children,
  question,
  confirm,
  className = '',
  disabled = false,
  onConfirm,
}: {
  children: ComponentChildren;
  question: string;
  /** The word of the button that does it. */
  confirm: string;
  className?: string;
  disabled?: boolean;
  onConfirm: () => Promise<unknown> | void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const act = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onConfirm();
    } finally {
      setBusy(false);
      dialog.current?.close();
    }
  };
  return (
    <>
      <button type="button" class={className} disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {children}
      </button>
      <dialog ref={dialog} class="card ask" aria-labelledby={id}>
        <form method="dialog" onSubmit={(event) => void act(event)}>
          <p id={id}>{question}</p>
          <div class="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
            <button type="submit" class="primary" disabled={busy}>
              {confirm}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
