import { useEffect } from 'preact/hooks';

/** The title of the window: the first thing that a screen reader says, and what tabs and history show. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Pixyz Scheduler`;
  }, [title]);
}
