/** Graphs of the benchmark, as `POST /graphs` takes them. Every node does nothing; what differs is who waits for whom. */
export interface BenchNode {
  readonly id: string;
  readonly process: string;
  readonly queue: string;
  readonly deps?: readonly string[];
}

const node = (index: number, queue: string, deps: readonly number[]): BenchNode => ({
  id: `n${index}`,
  process: 'api_test',
  queue,
  ...(deps.length === 0 ? {} : { deps: deps.map((dep) => `n${dep}`) }),
});

export const shapes = {
  /** All at once. */
  wide: (count: number, queue: string) => Array.from({ length: count }, (_, at) => node(at, queue, [])),
  /** One after the other. */
  chain: (count: number, queue: string) =>
    Array.from({ length: count }, (_, at) => node(at, queue, at === 0 ? [] : [at - 1])),
  /** A square lattice: each node waits for the one above and the one to its left. */
  diamond: (count: number, queue: string) => {
    const side = Math.floor(Math.sqrt(count));
    return Array.from({ length: side * side }, (_, at) => {
      const above = at >= side ? [at - side] : [];
      const left = at % side > 0 ? [at - 1] : [];
      return node(at, queue, [...above, ...left]);
    });
  },
  /** Each node waits for up to three of the hundred before it; always the same graph. */
  random: (count: number, queue: string) => {
    const next = sequence();
    return Array.from({ length: count }, (_, at) => {
      const reach = Math.min(at, 100);
      const deps = Array.from({ length: Math.min(reach, 3) }, () => at - 1 - Math.floor(next() * reach));
      return node(at, queue, [...new Set(deps)]);
    });
  },
} as const satisfies Record<string, (count: number, queue: string) => BenchNode[]>;

export type Shape = keyof typeof shapes;

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function sequence(): () => number {
  let state = 20261121;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
