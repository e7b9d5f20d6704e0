import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ConfirmButton } from '../../ui/confirm-button.js';
import { Icon, type IconName } from '../../ui/icon.js';

/** A button that does something at the server: once at a time, and what cannot be taken back only after a question. */
export function ActionButton({
  icon,
  children,
  ask,
  className = '',
  act,
  onError,
}: {
  icon: IconName;
  children: ComponentChildren;
  /** The question, and the words of the button that says yes. */
  ask?: readonly [question: string, yes: string];
  className?: string;
  act: () => Promise<unknown>;
  /** null: what was wrong before is over. */
  onError: (error: Error | null) => void;
}) {
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    onError(null);
    try {
      await act();
    } catch (error) {
      onError(error as Error);
    }
    setBusy(false);
  };
  const content = (
    <>
      <Icon name={icon} />
      {children}
    </>
  );
  if (ask !== undefined) {
    return (
      <ConfirmButton className={className} question={ask[0]} confirm={ask[1]} disabled={isBusy} onConfirm={run}>
        {content}
      </ConfirmButton>
    );
  }
  return (
    <button type="button" class={className} disabled={isBusy} onClick={() => void run()}>
      {content}
    </button>
  );
}
