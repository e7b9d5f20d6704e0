import { signal } from '@preact/signals';

/** Now, to the second: what reads it is drawn anew as time goes by. One timer for the whole page. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) now.value = Date.now();
});
