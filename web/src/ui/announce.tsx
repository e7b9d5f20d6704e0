import { signal } from '@preact/signals';

/** What a screen reader is to say: changes that are seen but have no focus. */
const message = signal('');

export function announce(text: string): void {
  // The same text twice is said once: a blank between makes it new.
  message.value = message.value === text ? `${text}\u00a0` : text;
}

export function Announcer() {
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {message}
    </div>
  );
}
