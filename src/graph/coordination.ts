import type { FailurePolicy } from '../contract/scheduling.js';
import type { Cut } from './cut.js';
import type { EndState, FinishCommand, GraphEvent, JournalNote } from './events.js';
import { limited } from './journal-notes.js';
import type { Counts } from './node-table.js';

/**
 * The core of a graph that runs in parts: takes what parts report and what people ask for, gives each part its orders.
 * Orders are events for the part's own core.
 *
 * Invariants:
 * 1. All talk between parts goes through here, so the graph has ended when every part has acted on its last order and
 *    reports no open node.
 * 2. A part hears of each end of a node that it waits for, in the order in which they happened.
 * 3. What all parts have in flight together stays at `inFlight` (or below, when parts end).
 */

/** What a part tells: short, since it is in two histories. */
export interface PartReport {
  readonly part: number;
  /** Nodes that have ended, and (null) nodes that are to run again, in order. */
  readonly changes: readonly (readonly [node: number, state: EndState | null])[];
  /** Those that have failed since the last report, as far as people will read. */
  readonly failures: readonly { readonly node: number; readonly label: string; readonly message: string }[];
  /** Nodes that have not ended, items of maps included. */
  readonly unended: number;
  /** How many orders it had acted on. */
  readonly heard: number;
}

export type Orders = ReadonlyMap<number, readonly GraphEvent[]>;

/** Items of part `n` of `parts` are numbered from here on. */
export function firstItemOf(part: number, parts: number): number {
  return firstItem + part * Math.floor(firstItem / parts);
}
/** As `firstItemNumber` of the contract, which no pure code may import. */
const firstItem = 0x8000_0000;

interface PartState {
  unended: number;
  told: number;
  heard: number;
  closed: boolean;
}

export interface CoordinationOptions {
  readonly onFailure: FailurePolicy;
  /** Attempts in flight, over all parts. */
  readonly inFlight: number;
  /** The engine's own bound: no `limit` goes above. Absent: `inFlight`. */
  readonly widest?: number;
}

export class Coordination {
  readonly #cut: Cut;
  readonly #options: CoordinationOptions;
  readonly #parts: PartState[];
  readonly #states = new Map<number, EndState>();
  readonly #failures = new Map<number, { readonly label: string; readonly message: string }>();
  readonly #tally: Record<EndState, number> = { succeeded: 0, failed: 0, revoked: 0, skipped: 0 };
  #out = new Map<number, GraphEvent[]>();
  #notes: JournalNote[] = [];
  #halted = false;
  #cancelled: string | null = null;
  #lost: string | null = null;
  #paused = false;
  #changes = 0;
  #shared = '';
  #inFlight: number;

  constructor(cut: Cut, options: CoordinationOptions) {
    this.#cut = cut;
    this.#options = options;
    this.#inFlight = options.inFlight;
    this.#parts = cut.parts.map(({ nodes }) => ({ unended: nodes, told: 0, heard: 0, closed: false }));
    this.#notes.push({ type: 'started', count: cut.partOf.size });
  }

  /** How much each part may have in flight at the start. */
  get windows(): readonly number[] {
    return shares(
      this.#inFlight,
      this.#parts.map((part) => part.unended > 0),
    );
  }

  get isDone(): boolean {
    return this.#parts.every((part) => part.closed || (part.unended === 0 && part.heard === part.told));
  }

  get counts(): Counts {
    return { ...this.#tally, unended: this.#parts.reduce((sum, part) => sum + (part.closed ? 0 : part.unended), 0) };
  }

  get failures(): ReadonlyMap<number, { readonly label: string; readonly message: string }> {
    return this.#failures;
  }

  /** Journal entries about the graph as a whole, since they were last taken. */
  takeNotes(): JournalNote[] {
    return this.#notes.splice(0);
  }

  reported(report: PartReport): Orders {
    const part = this.#parts[report.part] as PartState;
    part.unended = report.unended;
    part.heard = report.heard;
    for (const { node, label, message } of report.failures) this.#failures.set(node, { label, message });
    for (const [node, state] of report.changes) this.#changed(node, state);
    const failed = report.changes.some(([, state]) => state === 'failed');
    if (failed && this.#options.onFailure === 'stop' && !this.#halted) {
      this.#halted = true;
      const [first] = report.failures;
      this.#tellAll({ type: 'halt', reason: `stopped, because ${first?.label ?? 'a node'} failed` });
    }
    this.#share();
    return this.#orders();
  }

  /** A request of somebody outside. */
  requested(event: GraphEvent): Orders {
    switch (event.type) {
      case 'cancel':
        if (event.node === null) this.#cancelled = event.reason;
        break;
      case 'retry':
        if (this.#cancelled !== null) return new Map();
        this.#halted = false;
        break;
      case 'pause':
      case 'resume':
        if (this.#paused === (event.type === 'pause')) return new Map();
        this.#paused = event.type === 'pause';
        this.#notes.push({ type: this.#paused ? 'paused' : 'resumed', n: this.#changes++ });
        break;
      case 'limit': {
        const widest = this.#options.widest ?? this.#options.inFlight;
        this.#inFlight = Math.min(widest, event.max ?? widest);
        this.#notes.push(limited(event.max, this.#changes++));
        this.#share(true);
        return this.#orders();
      }
      case 'priority':
        if (event.node === null) this.#notes.push({ type: 'priority', priority: event.priority, n: this.#changes++ });
        break;
      default:
        break;
    }
    if ('node' in event && event.node !== null) {
      const part = this.#partOf(event.node);
      if (part !== undefined) this.#tell(part, event);
    } else this.#tellAll(event);
    return this.#orders();
  }

  /** A part's run has ended, by itself or (`message`) because somebody ended it. */
  closed(part: number, message: string | null): Orders {
    (this.#parts[part] as PartState).closed = true;
    if (message !== null && this.#lost === null) {
      this.#lost = `part ${part + 1} of the graph: ${message}`;
      this.#tellAll({ type: 'cancel', node: null, reason: this.#lost });
    }
    return this.#orders();
  }

  /** Once it is done. */
  finish(): { readonly outcome: Omit<FinishCommand, 'type'>; readonly orders: Orders } {
    const outcome = this.#outcome();
    const { state, message } = outcome;
    this.#notes.push({ type: 'ended', state, ...(message === '' ? {} : { message: message.slice(0, 500) }) });
    this.#tellAll({ type: 'close' });
    return { outcome, orders: this.#orders() };
  }

  #outcome(): Omit<FinishCommand, 'type'> {
    if (this.#lost !== null) return { state: 'failed', message: this.#lost };
    if (this.#cancelled !== null && this.#tally.revoked > 0) return { state: 'revoked', message: this.#cancelled };
    if (this.#tally.failed > 0) {
      const [first] = [...this.#failures.values()];
      const rest = this.#tally.failed === 1 ? '' : ` (and ${this.#tally.failed - 1} more)`;
      return { state: 'failed', message: `${first?.label ?? 'a node'}: ${first?.message ?? 'failed'}${rest}` };
    }
    if (this.#tally.revoked > 0) return { state: 'revoked', message: 'nodes were revoked' };
    return { state: 'succeeded', message: '' };
  }

  #changed(node: number, state: EndState | null): void {
    const before = this.#states.get(node);
    if (before !== undefined) this.#tally[before] -= 1;
    if (state === null) {
      this.#states.delete(node);
      this.#failures.delete(node);
    } else {
      this.#states.set(node, state);
      this.#tally[state] += 1;
    }
    for (const part of this.#cut.waiting.get(node) ?? [])
      this.#tell(part, state === null ? { type: 'unsettled', node } : { type: 'settled', node, state });
  }

  #partOf(node: number): number | undefined {
    if (node < firstItem) return this.#cut.partOf.get(node);
    return Math.min(
      this.#parts.length - 1,
      Math.floor((node - firstItem) / Math.floor(firstItem / this.#parts.length)),
    );
  }

  /** Parts that have nothing left leave their share to the others. */
  #share(again = false): void {
    const busy = this.#parts.map((part) => !part.closed && part.unended > 0);
    const key = busy.map(Number).join('');
    if (!again && (key === this.#shared || !busy.includes(false))) return;
    this.#shared = key;
    shares(this.#inFlight, busy).forEach((window, part) => {
      if (busy[part]) this.#tell(part, { type: 'window', window });
    });
  }

  #tellAll(event: GraphEvent): void {
    for (let part = 0; part < this.#parts.length; part += 1) this.#tell(part, event);
  }

  #tell(part: number, event: GraphEvent): void {
    const state = this.#parts[part] as PartState;
    if (state.closed) return;
    state.told += 1;
    const orders = this.#out.get(part) ?? [];
    this.#out.set(part, orders);
    orders.push(event);
  }

  #orders(): Orders {
    const out = this.#out;
    this.#out = new Map();
    return out;
  }
}

/** Shares a number evenly among those who want some; where it is too small for all, the first ones get one each. */
export function shares(total: number, wants: readonly boolean[]): number[] {
  const among = wants.filter(Boolean).length;
  let rank = 0;
  return wants.map((want) => {
    if (!want) return 0;
    const share = Math.floor(total / among) + (rank < total % among ? 1 : 0);
    rank += 1;
    return share;
  });
}
