import { describe, expect, it } from 'vitest';
import { type FaultKind, faultKinds } from '../../../src/contract/job.js';
import { type AttemptPosition, afterFault } from '../../../src/graph/resubmission.js';
import { retryPolicy } from '../../support/graphs.js';

const at = (overrides: Partial<AttemptPosition> = {}): AttemptPosition => ({
  queue: 'cpu',
  timeLimit: 60,
  retriesUsed: 0,
  lossesUsed: 0,
  retry: retryPolicy,
  ...overrides,
});
const ownFaults: FaultKind[] = ['exit', 'signal', 'time-limit', 'memory'];

describe('what follows a fault', () => {
  it.each(['cpu', 'gpu'])('a crash on %s is tried once more on gpuhigh, with the time limit of the rescue', (queue) => {
    for (const fault of ownFaults) {
      expect(afterFault(at({ queue }), fault)).toEqual({
        kind: 'again',
        queue: 'gpuhigh',
        timeLimit: 3600,
        retriesUsed: 1,
        lossesUsed: 0,
        rescue: true,
      });
    }
  });

  it.each(['gpuhigh', 'control', 'wine'])(
    'a crash on %s is tried once more on the same queue, with the same limit',
    (queue) => {
      for (const fault of ownFaults) {
        expect(afterFault(at({ queue }), fault)).toEqual({
          kind: 'again',
          queue,
          timeLimit: 60,
          retriesUsed: 1,
          lossesUsed: 0,
          rescue: false,
        });
      }
    },
  );

  it('a second crash fails, on whatever queue', () => {
    for (const queue of ['cpu', 'gpuhigh', 'wine'])
      for (const fault of ownFaults)
        expect(afterFault(at({ queue, retriesUsed: 1 }), fault)).toEqual({ kind: 'failed' });
  });

  it('an ordinary exception, or a job that cannot run at all, is not tried again', () => {
    expect(afterFault(at(), 'exception')).toEqual({ kind: 'failed' });
    expect(afterFault(at(), 'invalid')).toEqual({ kind: 'failed' });
  });

  it("a lost worker is not the script's fault: same queue, same limit, and no retry is used up", () => {
    expect(afterFault(at({ retriesUsed: 1 }), 'lost')).toEqual({
      kind: 'again',
      queue: 'cpu',
      timeLimit: 60,
      retriesUsed: 1,
      lossesUsed: 1,
      rescue: false,
    });
    expect(afterFault(at({ lossesUsed: 3 }), 'lost')).toEqual({ kind: 'failed' });
  });

  it('a cancelled job is revoked, however often it may be retried', () => {
    expect(afterFault(at(), 'cancelled')).toEqual({ kind: 'revoked' });
  });

  it('a rescue never has less time than the user asked for', () => {
    const limitOf = (timeLimit: number | null): unknown => {
      const next = afterFault(at({ timeLimit }), 'time-limit');
      return next.kind === 'again' ? next.timeLimit : 'no retry';
    };
    expect(limitOf(2)).toBe(3600);
    expect(limitOf(7200)).toBe(7200);
    expect(limitOf(null)).toBe(null);
  });

  it('with no retries allowed, every fault of the script is final', () => {
    for (const fault of ownFaults)
      expect(afterFault(at({ retry: { ...retryPolicy, maxRetries: 0 } }), fault)).toEqual({ kind: 'failed' });
  });

  it('every kind of fault has an answer', () => {
    for (const fault of faultKinds) expect(['again', 'failed', 'revoked']).toContain(afterFault(at(), fault).kind);
  });
});
