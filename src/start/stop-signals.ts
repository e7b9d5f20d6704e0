export interface StopSignals {
  /** Aborted at the first Ctrl-C, TERM or closed terminal. */
  readonly stop: AbortSignal;
  /** Aborted at the second one. */
  readonly force: AbortSignal;
}

/** From now on, signals are wishes to stop, not ends. */
export function listenForStop(): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) force.abort();
      stop.abort();
    });
  }
  return { stop: stop.signal, force: force.signal };
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
