import type { GraphNode } from '../../../src/contract/graph.js';
import type { EndState, GraphEvent } from '../../../src/graph/events.js';

/**
 * What a graph does, written from the definition and slowly: after every event all nodes are looked at again and again
 * until nothing changes. No counters, no queue, no window: which of the nodes that may start is started next is told by
 * whoever plays the events (`started`), and checked against the rules.
 */

type Phase = 'waiting' | 'open' | 'in flight' | 'sent along' | 'mapped' | EndState;

interface Place {
  readonly node: GraphNode;
  readonly map: Place | null;
  phase: Phase;
  asked: boolean;
  waited: boolean;
  stopping: boolean;
  ownFaults: number;
  losses: number;
  items: Place[] | null;
  /** It had failed before the event at hand: the policy has acted on it. */
  old: boolean;
}

const ends: readonly Phase[] = ['succeeded', 'failed', 'revoked', 'skipped'];
const ended = (place: Place): boolean => ends.includes(place.phase);

export class Reference {
  readonly places = new Map<number, Place>();
  readonly #stops: boolean;
  #started = false;
  #halted = false;
  #cancelled = false;

  constructor(nodes: readonly GraphNode[], stops: boolean) {
    this.#stops = stops;
    this.#add(nodes);
  }

  endOf(node: number): EndState | null {
    const place = this.#at(node);
    return ended(place) ? (place.phase as EndState) : null;
  }

  /** What a node may do next, or null when it must not do anything. */
  mayStart(index: number): 'ask' | 'wait' | 'expand' | 'run' | null {
    const place = this.#at(index);
    if (place.phase !== 'open') return null;
    if (place.node.conditional && !place.asked) return 'ask';
    if (place.node.countdown > 0 && !place.waited) return 'wait';
    return place.node.map !== undefined && place.items === null ? 'expand' : 'run';
  }

  started(index: number): void {
    this.#at(index).phase = 'in flight';
  }

  sentAlong(index: number): void {
    this.#at(index).phase = 'sent along';
  }

  apply(event: GraphEvent, firstItem = 0): void {
    const place = 'node' in event && event.node !== null ? this.places.get(event.node) : undefined;
    switch (event.type) {
      case 'start':
        this.#started = true;
        break;
      case 'due':
        if (place?.phase === 'open') place.waited = true;
        break;
      case 'succeeded':
        if (place?.phase === 'in flight') place.phase = 'succeeded';
        break;
      case 'answered':
        if (place?.phase !== 'in flight') break;
        place.asked = true;
        place.phase = place.stopping ? 'revoked' : event.yes ? 'open' : 'skipped';
        break;
      case 'expanded':
        if (place?.phase !== 'in flight') break;
        if (place.stopping) place.phase = 'revoked';
        else {
          place.phase = 'mapped';
          place.items = Array.from({ length: event.count }, (_, at) => {
            const node = { ...place.node, index: firstItem + at, deps: [], countdown: 0, trigger: 'all_done' as const };
            const { conditional: _c, map: _m, ...plain } = node;
            const item: Place = { ...newPlace(plain, place), phase: 'open' };
            this.places.set(plain.index, item);
            return item;
          });
        }
        break;
      case 'faulted':
        if (place?.phase !== 'in flight') break;
        if (place.stopping || event.fault === 'cancelled') place.phase = 'revoked';
        else if (this.#allowsAnother(place, event.fault)) place.phase = 'open';
        else place.phase = 'failed';
        break;
      case 'returned':
        if (place?.phase !== 'in flight' && place?.phase !== 'sent along') break;
        if (place.stopping) place.phase = 'revoked';
        else place.phase = place.phase === 'in flight' ? 'open' : 'waiting';
        break;
      case 'cancel':
        if (event.node === null) {
          this.#cancelled = true;
          this.#halt();
        } else if (place !== undefined) for (const one of [place, ...(place.items ?? [])]) stop(one);
        break;
      case 'add':
        this.#add(event.nodes);
        if (this.#halted) for (const node of event.nodes) stop(this.#at(node.index));
        break;
      case 'retry':
        if (this.#cancelled) break;
        this.#halted = false;
        for (const one of event.node === null ? [...this.places.values()] : place === undefined ? [] : [place])
          for (const each of one.items ?? [one]) this.#reopen(each);
        break;
      default:
        break; // pause, priority and the like change the order, never the outcome
    }
    this.#settle();
  }

  #at(index: number): Place {
    const place = this.places.get(index);
    if (place === undefined) throw new Error(`no node ${index}`);
    return place;
  }

  #add(nodes: readonly GraphNode[]): void {
    for (const node of nodes) this.places.set(node.index, newPlace(node, null));
  }

  #allowsAnother(place: Place, fault: string): boolean {
    if (place.node.map !== undefined || (place.node.conditional === true && !place.asked)) return false;
    if (fault === 'lost') return place.losses++ < place.node.retry.maxLosses;
    if (fault === 'exception' || fault === 'invalid') return false;
    return place.ownFaults++ < place.node.retry.maxRetries;
  }

  #halt(): void {
    this.#halted = true;
    for (const place of this.places.values()) stop(place);
  }

  #reopen(place: Place): void {
    if (place.phase !== 'failed' && place.phase !== 'revoked') return;
    Object.assign(place, { phase: 'waiting', stopping: false, asked: false, ownFaults: 0, losses: 0, old: false });
    if (place.map !== null && ended(place.map))
      Object.assign(place.map, { phase: 'mapped', stopping: false, old: false });
  }

  #settle(): void {
    if (!this.#started) return;
    this.#endMaps();
    if (this.#stops && !this.#halted && [...this.places.values()].some((one) => one.phase === 'failed' && !one.old)) {
      this.#halt();
    }
    for (let changed = true; changed; ) {
      changed = this.#endMaps();
      for (const place of this.places.values()) {
        const before = place.phase;
        const deps = place.node.deps.map((dep) => this.#at(dep));
        if (before === 'skipped' && !deps.every(ended)) Object.assign(place, { phase: 'waiting', asked: false });
        else if (before === 'sent along' && deps.every(ended))
          place.phase = deps.every((dep) => dep.phase === 'succeeded') ? 'in flight' : 'waiting';
        else if (before === 'waiting' && deps.every(ended))
          place.phase = place.stopping ? 'revoked' : holds(place.node, deps) ? 'open' : 'skipped';
        else if (before === 'open' && place.node.kind === 'barrier') {
          const asks = place.node.conditional === true && !place.asked;
          if (!asks && (place.node.countdown === 0 || place.waited)) place.phase = 'succeeded';
        }
        changed ||= place.phase !== before;
      }
    }
    for (const place of this.places.values()) if (place.phase === 'failed') place.old = true;
  }

  #endMaps(): boolean {
    let changed = false;
    for (const place of this.places.values()) {
      if (place.phase !== 'mapped' || place.items === null || !place.items.every(ended)) continue;
      const phases = place.items.map((item) => item.phase);
      place.phase = phases.includes('failed') ? 'failed' : phases.includes('revoked') ? 'revoked' : 'succeeded';
      changed = true;
    }
    return changed;
  }
}

function newPlace(node: GraphNode, map: Place | null): Place {
  return {
    node,
    map,
    phase: 'waiting',
    asked: false,
    waited: false,
    stopping: false,
    ownFaults: 0,
    losses: 0,
    items: null,
    old: false,
  };
}

function stop(place: Place): void {
  if (place.phase === 'waiting' || place.phase === 'open') place.phase = 'revoked';
  else if (!ended(place)) place.stopping = true;
}

function holds(node: GraphNode, deps: readonly Place[]): boolean {
  if (node.trigger === 'all_done') return true;
  if (node.trigger === 'any_failed') return deps.some((dep) => dep.phase === 'failed');
  return deps.every((dep) => dep.phase === 'succeeded');
}
