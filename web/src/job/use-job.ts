import { useEffect, useState } from 'preact/hooks';
import type { JobDetails } from '../../../src/client/types.js';
import { follow, mayPass, retryMs } from '../api/follow.js';
import { get } from '../api/http.js';
import { type Details, detailsOf } from './details.js';

export interface FollowedJob {
  readonly details: Details | null;
  readonly error: Error | null;
  readonly deleted: boolean;
  /** What is shown may be old. */
  readonly isConnected: boolean;
}

const none: FollowedJob = { details: null, error: null, deleted: false, isConnected: true };

/** The details of a job, live until it has ended. */
export function useJob(id: string): FollowedJob {
  const [job, setJob] = useState<FollowedJob>(none);
  useEffect(() => {
    setJob(none);
    return follow(`/jobs/${encodeURIComponent(id)}/events`, {
      on: {
        state: (_data, text) => setJob({ ...none, details: detailsOf(text) }),
        deleted: () => setJob((before) => ({ ...before, deleted: true })),
      },
      isLast: (event, data) => event === 'deleted' || hasEnded((data as JobDetails).status),
      onConnection: (isConnected) => setJob((before) => ({ ...before, isConnected })),
      onError: (error) => setJob((before) => ({ ...before, error })),
    });
  }, [id]);
  return job;
}

export function hasEnded(status: string): boolean {
  return status === 'SUCCESS' || status === 'FAILURE' || status === 'REVOKED';
}

/** Asked until it is answered: what was asked for does not change, nor does what an ended job has made. */
export function useOnce<T>(path: string | null): { readonly data: T | null; readonly error: Error | null } {
  const [state, setState] = useState<{ data: T | null; error: Error | null }>({ data: null, error: null });
  useEffect(() => {
    setState({ data: null, error: null });
    if (path === null) return;
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = () => {
      get<T>(path, {}, { signal: ending.signal }).then(
        (data) => setState({ data, error: null }),
        (error: Error) => {
          if (ending.signal.aborted) return;
          setState({ data: null, error });
          if (mayPass(error)) timer = setTimeout(ask, retryMs);
        },
      );
    };
    ask();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [path]);
  return state;
}
