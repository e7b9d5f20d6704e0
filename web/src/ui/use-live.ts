import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Live<T> {
  /** What was last told; stays while newer facts cannot be had. */
  readonly data: T | null;
  /** Why there is nothing newer. */
  readonly error: Error | null;
  /** Asks at once. */
  readonly refresh: () => void;
}

/**
 * Asks again and again while the page is looked at, and at once when it is looked at again. The next question waits for the
 * last answer, so a slow server is asked less.
 * @param ask its identity is the question: another function is another question, and drops what was known
 */
export function useLive<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { everyMs, keep = false }: { readonly everyMs: number; readonly keep?: boolean },
): Live<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const wake = useRef<() => void>(() => {});

  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    let again = false;
    if (!keep) setData(null);
    setError(null);

    const round = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        const fresh = await ask(ending.signal);
        if (ending.signal.aborted) return;
        setData(fresh);
        setError(null);
      } catch (problem) {
        if (ending.signal.aborted) return;
        setError(problem as Error);
      }
      busy = false;
      timer = setTimeout(() => void round(), again ? 0 : everyMs);
      again = false;
    };
    wake.current = () => void round();
    document.addEventListener('visibilitychange', wake.current);
    void round();
    return () => {
      ending.abort(new DOMException('the view was left', 'AbortError'));
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake.current);
    };
  }, [ask, everyMs, keep]);

  return { data, error, refresh: useCallback(() => wake.current(), []) };
}
