import { useEffect, useRef, useState } from 'preact/hooks';
import { upload } from '../api/http.js';

export interface Upload {
  /** How far it is, 0 to 1; null: nothing is being sent. */
  readonly done: number | null;
  /** @returns null: it was stopped, by somebody or because the view was left */
  readonly send: <T>(path: string, form: FormData, headers?: Readonly<Record<string, string>>) => Promise<T | null>;
  readonly stop: () => void;
}

/** An upload that can be stopped, and that ends with its view: whoever has gone somewhere else is not brought back by it. */
export function useUpload(): Upload {
  const [done, setDone] = useState<number | null>(null);
  const ending = useRef<AbortController | null>(null);
  const stop = () => ending.current?.abort(new DOMException('it was stopped', 'AbortError'));
  // biome-ignore lint/correctness/useExhaustiveDependencies: at the end alone
  useEffect(() => stop, []);
  const send = async <T>(path: string, form: FormData, headers = {}): Promise<T | null> => {
    const { signal } = (ending.current = new AbortController());
    setDone(0);
    try {
      return await upload<T>(path, form, { onProgress: setDone, signal, headers });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    } finally {
      setDone(null);
    }
  };
  return { done, send, stop };
}
