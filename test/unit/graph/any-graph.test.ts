import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphNode } from '../../../src/contract/graph.js';
import type { FaultKind } from '../../../src/contract/job.js';
import { entryKey } from '../../../src/contract/journal.js';
import type { GraphCommand, GraphEvent } from '../../../src/graph/events.js';
import { GraphRun } from '../../../src/graph/graph-run.js';
import { node } from '../../support/graphs.js';
import { Reference } from './reference.js';

/**
 * Random graphs, random outcomes and random requests, played against the core and against a slow reference beside it. The
 * player below is the only "outside": it settles what is in flight in any order, and checks every command when it is given.
 */

const faults: FaultKind[] = ['exception', 'exit', 'signal', 'lost', 'memory', 'time-limit', 'invalid'];

const endStates = ['succeeded', 'failed', 'revoked', 'skipped'];

interface Shape {
  readonly deps: number[];
  readonly trigger: GraphNode['trigger'];
  readonly countdown: number;
  readonly queue: string;
  readonly conditional: boolean;
  readonly kind: 'task' | 'barrier' | 'map';
  readonly priority: number;
}

const shape = (index: number, chainy: boolean): fc.Arbitrary<Shape> =>
  fc.record({
    deps:
      index === 1
        ? fc.constant<number[]>([])
        : chainy
          ? fc.constant([index - 1])
          : fc.uniqueArray(fc.integer({ min: 1, max: index - 1 }), { maxLength: 3 }),
    trigger: fc.constantFrom('all_succeeded', 'all_succeeded', 'all_done', 'any_failed'),
    countdown: fc.constantFrom(0, 0, 0, 5),
    queue: fc.constantFrom('cpu', 'gpu', 'gpuhigh', 'wine'),
    conditional: fc.constantFrom(false, false, true),
    kind: fc.constantFrom('task', 'task', 'task', 'task', 'barrier', 'map'),
    priority: fc.integer({ min: 1, max: 5 }),
  });

const nodesOf = (shapes: readonly Shape[]): GraphNode[] =>
  shapes.map(({ conditional, kind, ...rest }, i) =>
    node(i + 1, {
      ...rest,
      ...(conditional ? { conditional: true } : {}),
      ...(kind === 'barrier' ? { kind: 'barrier' } : kind === 'map' ? { map: { max: 4 } } : {}),
    }),
  );

/** What the player does next: mostly it lets something in flight end, sometimes somebody asks for a change. */
const move = fc.record({
  what: fc.oneof(
    { weight: 10, arbitrary: fc.constant('succeed' as const) },
    { weight: 6, arbitrary: fc.constantFrom(...faults) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'return',
        'return-fenced',
        'hand-back',
        'cancel-one',
        'pause',
        'resume',
        'retry-one',
        'retry-all',
        'priority-one',
        'priority-all',
        'window',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('cancel-all', 'add', 'close') },
  ),
  pick: fc.nat(),
});

const scenario = fc.record({
  shapes: fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(false, false, true))
    .chain(([count, chainy]) => fc.tuple(...Array.from({ length: count }, (_, i) => shape(i + 1, chainy)))),
  window: fc.integer({ min: 1, max: 5 }),
  stops: fc.constantFrom(false, false, true),
  /** Nodes from this one on come later: the graph is open. */
  later: fc.constantFrom(null, null, 3),
  batches: fc.boolean(),
  moves: fc.array(move, { maxLength: 80 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

class Player {
  readonly core: GraphRun;
  readonly reference: Reference;
  readonly inFlight = new Map<number, 'ask' | 'expand' | 'run'>();
  readonly delayed = new Set<number>();
  /** Sent along in a batch, with the node before it. */
  readonly along = new Map<number, number>();
  readonly attempts = new Map<number, number>();
  readonly keys = new Set<string>();
  readonly firstItems = new Map<number, number>();
  readonly ended = new Map<number, string>();
  readonly rest: GraphNode[];
  window: number;
  most: number;
  open: boolean;
  paused = false;
  cancelled = false;
  finished: string | null = null;

  readonly #batches: boolean;

  constructor({ shapes, window, stops, later, batches }: Scenario) {
    const nodes = nodesOf(shapes);
    this.open = later !== null;
    this.rest = later === null ? [] : nodes.splice(later);
    this.window = window;
    this.most = window;
    this.#batches = batches;
    this.core = new GraphRun(nodes, {
      window,
      onFailure: stops ? 'stop' : 'finish',
      open: this.open,
      journal: 'all',
      firstItem: 1000,
    });
    this.reference = new Reference(nodes, stops);
    this.send({ type: 'start' });
  }

  send(event: GraphEvent): void {
    this.reference.apply(event, 'node' in event ? (this.firstItems.get(event.node ?? 0) ?? 0) : 0);
    const commands = this.core.handle(event);
    for (const command of commands) this.#take(command);
    if (this.#batches)
      for (const command of commands) {
        if (command.type !== 'run' || command.node % 2 === 1) continue;
        for (let last = command.node; ; ) {
          const next = this.core.chainBehind(last, () => true);
          const run = next.find((one) => one.type === 'run');
          for (const one of next) if (one.type === 'journal') this.#take(one);
          if (run === undefined) break;
          expect(this.#phase(run.node), 'only what waits is sent along').toBe('waiting');
          this.#checkAttempt(run.node, run.attempt);
          this.reference.sentAlong(run.node);
          this.along.set(run.node, last);
          last = run.node;
        }
      }
    // Plain comparisons: this runs some hundred thousand times, and `expect` only words the failure.
    for (const index of this.reference.places.keys()) {
      const state: string = this.core.stateOf(index);
      const expected = this.reference.endOf(index) ?? 'not ended';
      if ((endStates.includes(state) ? state : 'not ended') !== expected)
        expect(`${index} ${state}`).toBe(`${index} ${expected}`);
    }
  }

  #phase(index: number): string | undefined {
    return this.reference.places.get(index)?.phase;
  }

  #checkAttempt(index: number, attempt: number): void {
    expect(attempt, 'attempt numbers never go back').toBeGreaterThanOrEqual(this.attempts.get(index) ?? 1);
    this.attempts.set(index, attempt);
  }

  #take(command: GraphCommand): void {
    expect(this.finished, 'nothing follows the end').toBe(null);
    switch (command.type) {
      case 'run':
      case 'ask':
      case 'expand':
        expect(this.paused, 'nothing starts while it is paused').toBe(false);
        expect(this.inFlight.has(command.node), 'one at a time').toBe(false);
        expect(this.reference.mayStart(command.node), `node ${command.node} starts when its rule holds`).toBe(
          command.type,
        );
        if (command.type === 'run') this.#checkAttempt(command.node, command.attempt);
        if (command.type === 'expand') this.firstItems.set(command.node, command.first);
        this.inFlight.set(command.node, command.type);
        this.reference.started(command.node);
        expect(this.inFlight.size).toBeLessThanOrEqual(this.most);
        break;
      case 'wait':
        expect(this.reference.mayStart(command.node)).toBe('wait');
        this.delayed.add(command.node);
        break;
      case 'journal': {
        const key = entryKey({ at: '', ...command.note });
        expect(this.keys.has(key), `journal entry ${key} is given once`).toBe(false);
        this.keys.add(key);
        break;
      }
      case 'ended':
        expect(this.ended.has(command.node), 'a node ends once').toBe(false);
        this.ended.set(command.node, command.state);
        break;
      case 'revived':
        expect(this.ended.delete(command.node)).toBe(true);
        break;
      case 'finish':
        this.finished = command.state;
        break;
      default:
        break;
    }
  }

  /** Something in flight ends. */
  land(index: number, what: 'succeed' | 'return' | 'return-fenced' | FaultKind): void {
    const kind = this.inFlight.get(index);
    this.inFlight.delete(index);
    const behind = [...this.along].find(([, before]) => before === index)?.[0];
    if (kind === 'ask') {
      if (what === 'exception') this.send({ type: 'faulted', node: index, fault: 'invalid', message: 'bad' });
      else this.send({ type: 'answered', node: index, yes: what === 'succeed' });
    } else if (kind === 'expand') {
      if (what === 'exception') this.send({ type: 'faulted', node: index, fault: 'invalid', message: 'bad' });
      else this.send({ type: 'expanded', node: index, count: index % 4 });
    } else if (what === 'succeed') {
      if (behind !== undefined) {
        this.along.delete(behind);
        this.inFlight.set(behind, 'run');
      }
      this.send({ type: 'succeeded', node: index });
    } else {
      if (what === 'return') this.send({ type: 'returned', node: index });
      else if (what === 'return-fenced') this.send({ type: 'returned', node: index, fenced: true });
      else this.send({ type: 'faulted', node: index, fault: what, message: what });
      if (behind !== undefined) this.handBack(behind);
    }
  }

  /** A worker will not begin a node it got with the one before, and so none behind it. */
  handBack(index: number): void {
    for (let next: number | undefined = index; next !== undefined; ) {
      const here: number = next;
      this.along.delete(here);
      this.send({ type: 'returned', node: here });
      next = [...this.along].find(([, before]) => before === here)?.[0];
    }
  }

  move(what: (typeof move extends fc.Arbitrary<infer T> ? T : never)['what'], pick: number): void {
    const one = <T>(items: Iterable<T>): T | undefined => {
      const list = [...items];
      return list[pick % Math.max(1, list.length)];
    };
    const any = one(this.reference.places.keys()) as number;
    switch (what) {
      case 'cancel-one':
        return this.send({ type: 'cancel', node: any, reason: 'test' });
      case 'cancel-all':
        this.cancelled = true;
        this.open = false;
        return this.send({ type: 'cancel', node: null, reason: 'test' });
      case 'pause':
        this.paused = true;
        return this.send({ type: 'pause' });
      case 'resume':
        this.paused = false;
        return this.send({ type: 'resume' });
      case 'retry-one':
        return this.send({ type: 'retry', node: any });
      case 'retry-all':
        return this.send({ type: 'retry', node: null });
      case 'priority-one':
        return this.send({ type: 'priority', node: any, priority: 1 + (pick % 5) });
      case 'priority-all':
        return this.send({ type: 'priority', node: null, priority: 1 + (pick % 5) });
      case 'window':
        this.window = 1 + (pick % 5);
        // What is in flight stays so when the window shrinks.
        this.most = Math.max(this.most, this.window);
        return this.send({ type: 'window', window: this.window });
      case 'add':
        if (this.open) this.send({ type: 'add', nodes: this.rest.splice(0, 2) });
        return;
      case 'close':
        if (this.open && this.rest.length === 0) {
          this.open = false;
          this.send({ type: 'close' });
        }
        return;
      case 'hand-back': {
        const index = one(this.along.keys());
        if (index !== undefined) this.handBack(index);
        return;
      }
      default: {
        const late = one(this.delayed);
        const running = one(this.inFlight.keys());
        if (late !== undefined && (running === undefined || pick % 3 === 0)) {
          this.delayed.delete(late);
          this.send({ type: 'due', node: late });
        } else if (running !== undefined) this.land(running, what);
      }
    }
  }
}

describe('any graph, any outcomes, any requests', { timeout: 60_000 }, () => {
  it('starts nothing before its rule holds, runs nothing twice, and ends as the reference does', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const player = new Player(given);
        for (const { what, pick } of given.moves) {
          if (player.finished !== null) break;
          player.move(what, pick);
        }
        // From here on everything goes well: whatever the state, it must come to an end.
        for (let step = 0; player.finished === null; step += 1) {
          expect(step, 'it comes to an end').toBeLessThan(500);
          if (player.paused) player.move('resume', 0);
          else if (player.rest.length > 0 && player.open) player.move('add', 0);
          else if (player.open) player.move('close', 0);
          else {
            expect(player.inFlight.size + player.delayed.size, 'it waits for something').toBeGreaterThan(0);
            player.move('succeed', step);
          }
        }
        expect(player.inFlight.size).toBe(0);
        expect(player.ended.size, 'every node has ended').toBe(player.reference.places.size);
        const ends = [...player.ended.values()];
        const expected =
          player.cancelled && (ends.includes('revoked') || given.later !== null)
            ? 'revoked'
            : ends.includes('failed')
              ? 'failed'
              : ends.includes('revoked')
                ? 'revoked'
                : 'succeeded';
        expect(player.finished).toBe(expected);
      }),
      // GRAPH_RUNS=100000 for a long look after a change of the core.
      { numRuns: Number(process.env['GRAPH_RUNS'] ?? 800) },
    );
  });
});
