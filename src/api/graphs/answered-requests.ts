import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode, isMissing, readTextIfExists, writeFileAtomic } from '../../store/atomic.js';
import type { GraphStore } from '../../store/graph-store.js';
import { KeyedLock } from '../submission/keyed-lock.js';

interface Answered {
  readonly digest: string;
  readonly answer: unknown;
}

/**
 * What was answered to requests with an Idempotency-Key, in the folder of the graph that they were about: kept as long as
 * the graph is. A request that failed is not kept. One whose answer was lost with the API is done again: everything that
 * can be asked of a graph does no harm the second time.
 */
export class AnsweredRequests {
  readonly #store: GraphStore;
  readonly #lock = new KeyedLock();

  constructor(store: GraphStore) {
    this.#store = store;
  }

  /** @param request everything that makes it this request: the call and its body */
  async once<T>(graphId: string, key: string | undefined, request: unknown, task: () => Promise<T>): Promise<T> {
    if (key === undefined) return task();
    const name = createHash('sha256').update(key).digest('hex');
    const file = join(this.#store.paths(graphId).folder, 'requests', `${name}.json`);
    const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    return this.#lock.run(file, async () => {
      const text = await readTextIfExists(file);
      if (text !== null) {
        const before = JSON.parse(text) as Answered;
        if (before.digest === digest) return before.answer as T;
        throw new EngineError('CONFLICT', 'this Idempotency-Key was used for another request: use a new key');
      }
      const answer = await task();
      await keep(file, JSON.stringify({ digest, answer } satisfies Answered));
      return answer;
    });
  }
}

/** Not where the graph has been deleted meanwhile: its folder must not come back. */
async function keep(file: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(file)).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    await writeFileAtomic(file, content);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
