import { useState } from 'preact/hooks';
import { announce } from './announce.js';

/** Copies a text that stands beside it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied`);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  // Only over https, and on this machine.
  if (!('clipboard' in navigator)) return null;
  return (
    <button type="button" class="small quiet" onClick={() => void copy()} title={`Copy ${what}`}>
      {done ? 'Copied' : 'Copy'}
      <span class="visually-hidden"> {what}</span>
    </button>
  );
}
