import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstItemNumber } from '../../../src/contract/ids.js';
import { Coordination, firstItemOf, type Orders, shares } from '../../../src/graph/coordination.js';
import { type Cut, cutGraph } from '../../../src/graph/cut.js';
import type { EndState, GraphCommand, GraphEvent } from '../../../src/graph/events.js';
import { GraphRun } from '../../../src/graph/graph-run.js';
import { node } from '../../support/graphs.js';

describe('cutting a graph', () => {
  it('keeps stretches of numbers together where they are in order', () => {
    const nodes = [1, 2, 3, 4, 5].map((index) => ({ index, deps: index === 1 ? [] : [index - 1] }));
    const cut = cutGraph(nodes, 2);
    expect(cut.parts).toEqual([
      { stretches: [[1, 2]], nodes: 2 },
      { stretches: [[3, 2]], nodes: 2 },
      { stretches: [[5, 1]], nodes: 1 },
    ]);
    expect([...cut.waiting]).toEqual([
      [2, [1]],
      [4, [2]],
    ]);
  });

  it('counts a map as all that it may become, and gives a very wide one a part of its own', () => {
    const nodes = [1, 2, 3, 4].map((index) => ({ index, deps: [], ...(index === 2 ? { map: { max: 50 } } : {}) }));
    const { parts } = cutGraph(nodes, 10);
    expect(parts.map(({ stretches }) => stretches)).toEqual([[[1, 1]], [[2, 1]], [[3, 2]]]);
  });

  it('makes a part wait only for parts before it, whatever the numbers', () => {
    const graphs = fc.integer({ min: 1, max: 30 }).chain((count) =>
      fc.tuple(
        fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i + 1),
          { minLength: count, maxLength: count },
        ),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
      ),
    );
    fc.assert(
      fc.property(graphs, ([order, edges, size]) => {
        const deps = new Map<number, Set<number>>(order.map((index) => [index, new Set<number>()]));
        for (const [a, b] of edges) {
          const [from, to] = [
            Math.min(a % order.length, b % order.length),
            Math.max(a % order.length, b % order.length),
          ];
          if (from !== to) deps.get(order[to] as number)?.add(order[from] as number);
        }
        const nodes = order.map((index) => ({ index, deps: [...(deps.get(index) ?? [])] }));
        const cut = cutGraph(nodes, size);
        for (const { index, deps: before } of nodes)
          for (const dep of before) expect(cut.partOf.get(dep)).toBeLessThanOrEqual(cut.partOf.get(index) as number);
        const members = cut.parts.flatMap(({ stretches }) =>
          stretches.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
        );
        expect(members.toSorted((a, b) => a - b)).toEqual(order.toSorted((a, b) => a - b));
        for (const part of cut.parts) expect(part.nodes).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe('parts together', { timeout: 60_000 }, () => {
  it('share a limit evenly, and the first ones get what is too little for all', () => {
    expect(shares(10, [true, true, true])).toEqual([4, 3, 3]);
    expect(shares(10, [true, false, true])).toEqual([5, 0, 5]);
    expect(shares(2, [false, true, true, true])).toEqual([0, 1, 1, 0]);
  });

  it('number their items apart', () => {
    expect(firstItemOf(0, 13)).toBe(firstItemNumber);
    expect(firstItemOf(12, 13)).toBeGreaterThan(firstItemOf(11, 13) + 100_000_000);
    expect(firstItemOf(12, 13)).toBeLessThan(2 ** 32 - 100_000_000);
  });

  /** Whether an attempt succeeds. */
  type Fate = (node: number, attempt: number) => boolean;

  interface Flight {
    readonly part: number;
    readonly node: number;
    readonly attempt: number;
  }

  /** Parts and their coordinator in memory; messages arrive in any order between two, one after another from each. */
  class Parts {
    readonly ends = new Map<number, EndState>();
    readonly core: Coordination;
    readonly #cores: GraphRun[];
    readonly #inFlight: Flight[] = [];
    readonly #orders: GraphEvent[][];
    readonly #changes: [number, EndState | null][][];
    readonly #heard: number[];
    readonly #fate: Fate;
    most = 0;

    constructor(cut: Cut, nodes: ReturnType<typeof node>[], inFlight: number, fate: Fate) {
      this.#fate = fate;
      this.core = new Coordination(cut, { onFailure: 'finish', inFlight });
      const { windows } = this.core;
      this.#orders = cut.parts.map(() => []);
      this.#changes = cut.parts.map(() => []);
      this.#heard = cut.parts.map(() => 0);
      this.#cores = cut.parts.map((_, part) => {
        const own = nodes.filter(({ index }) => cut.partOf.get(index) === part);
        const externals = own.flatMap(({ deps }) => deps.filter((dep) => cut.partOf.get(dep) !== part));
        return new GraphRun(own, { window: windows[part] as number, open: true, externals: [...new Set(externals)] });
      });
      this.#cores.forEach((core, part) => this.#carryOut(part, core.handle({ type: 'start' })));
    }

    request(event: GraphEvent): void {
      this.#send(this.core.requested(event));
    }

    /** One thing that may happen next, chosen by `pick`; false when nothing can. */
    step(pick: number): boolean {
      const reports = this.#cores.flatMap((_, part) => ((this.#changes[part] ?? []).length > 0 ? [part] : []));
      const orders = this.#cores.flatMap((_, part) => ((this.#orders[part] ?? []).length > 0 ? [part] : []));
      const choices = [
        ...reports.map((part) => () => this.#report(part)),
        ...orders.map((part) => () => this.#obey(part)),
        ...this.#inFlight.map((_, at) => () => this.#land(at)),
      ];
      choices[pick % Math.max(1, choices.length)]?.();
      return choices.length > 0;
    }

    #report(part: number): void {
      const changes = this.#changes[part]?.splice(0) ?? [];
      const { unended } = (this.#cores[part] as GraphRun).counts;
      const heard = this.#heard[part] as number;
      this.#send(this.core.reported({ part, changes, failures: [], unended, heard }));
    }

    #obey(part: number): void {
      for (const event of this.#orders[part]?.splice(0) ?? []) {
        this.#heard[part] = (this.#heard[part] ?? 0) + 1;
        this.#carryOut(part, (this.#cores[part] as GraphRun).handle(event));
      }
      this.#report(part);
    }

    #land(at: number): void {
      const [{ part, node, attempt }] = this.#inFlight.splice(at, 1) as [Flight];
      const event: GraphEvent = this.#fate(node, attempt)
        ? { type: 'succeeded', node }
        : { type: 'faulted', node, fault: 'exception', message: 'no' };
      this.#carryOut(part, (this.#cores[part] as GraphRun).handle(event));
    }

    #carryOut(part: number, commands: readonly GraphCommand[]): void {
      for (const command of commands) {
        if (command.type === 'run') this.#inFlight.push({ part, node: command.node, attempt: command.attempt });
        if (command.type === 'ended') {
          this.ends.set(command.node, command.state);
          this.#changes[part]?.push([command.node, command.state]);
        }
        if (command.type === 'revived') this.#changes[part]?.push([command.node, null]);
      }
      this.most = Math.max(this.most, this.#inFlight.length);
    }

    #send(orders: Orders): void {
      for (const [part, events] of orders) this.#orders[part]?.push(...events);
    }
  }

  it('end as one run would, within the limit, and the coordinator sees when they have', () => {
    const scenario = fc.record({
      shapes: fc.array(
        fc.record({
          deps: fc.array(fc.nat(), { maxLength: 3 }),
          trigger: fc.constantFrom('all_succeeded' as const, 'all_done' as const, 'any_failed' as const),
        }),
        { minLength: 2, maxLength: 16 },
      ),
      bad: fc.uniqueArray(fc.integer({ min: 1, max: 16 }), { maxLength: 5 }),
      size: fc.integer({ min: 1, max: 6 }),
      inFlight: fc.integer({ min: 1, max: 6 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(scenario, ({ shapes, bad, size, inFlight, picks }) => {
        const nodes = shapes.map(({ deps, trigger }, i) =>
          node(i + 1, { trigger, deps: i === 0 ? [] : [...new Set(deps.map((dep) => 1 + (dep % i)))] }),
        );
        const fate = (index: number): boolean => !bad.includes(index);

        const alone = new GraphRun(nodes, { window: 100 });
        const pending: GraphCommand[] = alone.handle({ type: 'start' });
        for (let command = pending.pop(); command !== undefined; command = pending.pop())
          if (command.type === 'run')
            pending.push(
              ...alone.handle(
                fate(command.node)
                  ? { type: 'succeeded', node: command.node }
                  : { type: 'faulted', node: command.node, fault: 'exception', message: 'no' },
              ),
            );

        const parts = new Parts(cutGraph(nodes, size), nodes, inFlight, fate);
        for (let at = 0; !parts.core.isDone; at += 1) {
          expect(at, 'it comes to an end').toBeLessThan(2000);
          expect(parts.step(picks[at % picks.length] as number), 'something can happen').toBe(true);
        }
        for (const { index } of nodes)
          expect(`${index} ${parts.ends.get(index)}`).toBe(`${index} ${alone.stateOf(index)}`);
        expect(parts.most).toBeLessThanOrEqual(inFlight);
        expect(parts.core.counts).toEqual(alone.counts);
      }),
      { numRuns: 400 },
    );
  });

  it('nodes that are sent again while others run bring the whole graph to success', () => {
    const scenario = fc.record({
      deps: fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 14 }),
      bad: fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 5 }),
      size: fc.integer({ min: 1, max: 5 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(scenario, ({ deps: shapes, bad, size, picks }) => {
        const nodes = shapes.map((deps, i) =>
          node(i + 1, { deps: i === 0 ? [] : [...new Set(deps.map((dep) => 1 + (dep % i)))] }),
        );
        const parts = new Parts(
          cutGraph(nodes, size),
          nodes,
          50,
          (index, attempt) => attempt > 1 || !bad.includes(index),
        );
        let retries = 0;
        for (let at = 0; !parts.core.isDone || [...parts.ends.values()].includes('failed'); at += 1) {
          expect(at, 'it comes to an end').toBeLessThan(4000);
          const pick = picks[at % picks.length] as number;
          if (parts.core.isDone || (pick % 11 === 0 && retries < 20)) {
            retries += 1;
            parts.request({ type: 'retry', node: null });
          }
          parts.step(pick);
        }
        expect(new Set(parts.ends.values())).toEqual(new Set(['succeeded']));
        expect(parts.core.counts).toMatchObject({ succeeded: nodes.length, failed: 0, skipped: 0, unended: 0 });
      }),
      { numRuns: 400 },
    );
  });
});
