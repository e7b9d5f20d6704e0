import type { Layout, LayoutInput } from './layout.js';

/** Layouts from a worker, which is started with the first and ended with the view. */
export class Layouts {
  #worker: Worker | null = null;
  #last = 0;
  readonly #waiting = new Map<number, (layout: Layout) => void>();

  /** null when a later one has been asked for meanwhile. */
  async make(input: LayoutInput): Promise<Layout | null> {
    this.#worker ??= this.#start();
    this.#last += 1;
    const id = this.#last;
    const made = new Promise<Layout>((resolve) => this.#waiting.set(id, resolve));
    this.#worker.postMessage({ id, input });
    const layout = await made;
    return id === this.#last ? layout : null;
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#waiting.clear();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module', name: 'layout' });
    worker.onmessage = ({ data: { id, layout } }: MessageEvent<{ id: number; layout: Layout }>) => {
      this.#waiting.get(id)?.(layout);
      this.#waiting.delete(id);
    };
    return worker;
  }
}
