import { describe, expect, it } from 'vitest';
import { SlotPool } from '../../../src/worker/slot-pool.js';

const never = new AbortController().signal;

function pool(limit: number, options: { holdMs?: number; tasks?: number; onExhausted?: () => void } = {}): SlotPool {
  return new SlotPool({
    limit,
    holdMs: options.holdMs ?? 10_000,
    tasks: options.tasks ?? 0,
    onExhausted: options.onExhausted ?? (() => undefined),
  });
}

/** Whether a promise has settled by the time that everything ready has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

type Gate = ReturnType<SlotPool['supplier']>;
const reserve = (gate: Gate, signal = never): Promise<object> => gate.reserveSlot({} as never, signal);
const land = (gate: Gate, permit: object): void => gate.markSlotUsed({ permit } as never);
const leave = (gate: Gate, permit: object): void => gate.releaseSlot({ permit } as never);

describe('slots shared by queues', () => {
  it('one free slot lets every queue poll, so that none goes unwatched', async () => {
    const slots = pool(1);
    const [cpu, gpu] = [slots.supplier(), slots.supplier()];
    expect(await settled(reserve(cpu))).toBe(true);
    expect(await settled(reserve(gpu))).toBe(true);
    expect(await settled(reserve(cpu)), 'but no queue asks for more tasks than there are slots').toBe(false);
  });

  it('while a script runs in the only slot, no queue starts a poll; when it has ended, all do', async () => {
    const slots = pool(1);
    const [cpu, gpu] = [slots.supplier(), slots.supplier()];
    const permit = await reserve(cpu);
    land(cpu, permit);
    const slot = await slots.acquire();
    const polls = [reserve(cpu), reserve(gpu)];
    expect(await settled(Promise.race(polls))).toBe(false);
    slot?.release();
    leave(cpu, permit);
    expect(await settled(Promise.all(polls))).toBe(true);
  });

  it('a second task that arrives for a taken slot waits for it', async () => {
    const slots = pool(1);
    const first = await slots.acquire();
    const second = slots.acquire();
    expect(await settled(second)).toBe(false);
    first?.release();
    expect(await second).not.toBe(null);
    expect(slots.stats).toEqual({ limit: 1, used: 1, lent: 0 });
  });

  it('and goes back to its queue when the slot does not come free in time', async () => {
    const slots = pool(1, { holdMs: 1 });
    await slots.acquire();
    expect(await slots.acquire()).toBe(null);
  });

  it('a script that waits for others lends its slot, and gets it back without waiting', async () => {
    const slots = pool(1);
    const parent = await slots.acquire();
    parent?.lend();
    const child = await slots.acquire();
    expect(child).not.toBe(null);
    parent?.resume();
    expect(slots.stats).toEqual({ limit: 1, used: 2, lent: 0 });
    const third = slots.acquire();
    child?.release();
    expect(await settled(third), 'the parent has its slot again').toBe(false);
    parent?.release();
    expect(await third).not.toBe(null);
  });

  it('releasing twice frees one slot', async () => {
    const slots = pool(2);
    const slot = await slots.acquire();
    await slots.acquire();
    slot?.release();
    slot?.release();
    expect(slots.stats.used).toBe(1);
  });

  it('after exactly so many tasks nothing is granted, and the owner is told', async () => {
    let told = 0;
    const slots = pool(5, { tasks: 2, onExhausted: () => (told += 1) });
    await slots.acquire();
    await slots.acquire();
    expect(told).toBe(1);
    expect(await slots.acquire()).toBe(null);
    expect(await settled(reserve(slots.supplier()))).toBe(false);
  });

  it('closing sends away the tasks that wait for a slot', async () => {
    const slots = pool(1);
    await slots.acquire();
    const waiting = slots.acquire();
    slots.close();
    expect(await waiting).toBe(null);
  });

  it('a poll that is no longer needed stops waiting, with the reason it was given: the SDK takes any other for a fault', async () => {
    const slots = pool(1);
    await slots.acquire();
    const abort = new AbortController();
    const poll = reserve(slots.supplier(), abort.signal);
    abort.abort();
    await expect(poll).rejects.toBe(abort.signal.reason);
  });
});
