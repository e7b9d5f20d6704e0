import { GraphFold, type GraphSummary } from './graph-fold.js';
import type { GraphStore } from './graph-store.js';
import { type JournalPlace, journalStart, type NumberedEntry, readJournal } from './journal-file.js';

/** What a reader keeps in mind; the rest it reads again. */
interface ReaderLimits {
  /** Graphs whose summary is kept: that is what lists of graphs show, again and again. */
  readonly summaries: number;
  /** Graphs whose nodes are kept as well. */
  readonly folds: number;
  /** Nodes of all of them together: a fold costs some 300 bytes a node. */
  readonly nodes: number;
}

const usualLimits: ReaderLimits = { summaries: 2000, folds: 100, nodes: 100_000 };
/** Between two places that are kept: what has to be read again to answer from any sequence number on. */
const markBytes = 64 << 10;

interface Known {
  /** null: only the summary was kept. */
  fold: GraphFold | null;
  summary: GraphSummary;
  /** Places in the journal, ascending; the last is how far the fold has come. */
  marks: JournalPlace[];
  reading: Promise<void> | null;
}

/** The state of graphs, from their journals. Only what is new is read. */
export class GraphReader {
  readonly #store: GraphStore;
  readonly #limits: ReaderLimits;
  /** In the order of last use: the first is the next to go. */
  readonly #known = new Map<string, Known>();

  constructor(store: GraphStore, limits: ReaderLimits = usualLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /** Everything that the journal says by now. The fold goes on changing with later calls; it must not be changed. */
  async fold(graphId: string): Promise<GraphFold> {
    const known = await this.#upToDate(graphId, true);
    return known.fold as GraphFold;
  }

  /** The same without the single nodes: of a graph that has ended it is at hand however large it was. */
  async summary(graphId: string): Promise<GraphSummary> {
    const known = await this.#upToDate(graphId, false);
    return known.fold ?? known.summary;
  }

  /** Entries after a sequence number (0: from the first), at most `limit`. */
  async events(graphId: string, after: number, limit: number): Promise<NumberedEntry[]> {
    const { marks } = await this.#upToDate(graphId, true);
    const { journal } = this.#store.paths(graphId);
    const found: NumberedEntry[] = [];
    let place = marks.findLast((mark) => mark.seq <= after) ?? journalStart;
    for (;;) {
      const piece = await readJournal(journal, place, markBytes);
      for (const numbered of piece.entries) if (numbered.seq > after && found.length < limit) found.push(numbered);
      if (!piece.more || found.length >= limit) return found;
      place = piece.place;
    }
  }

  /** Forgets a graph that was deleted. */
  forget(graphId: string): void {
    this.#known.delete(graphId);
  }

  /** @param whole with its nodes, and all marks */
  async #upToDate(graphId: string, whole: boolean): Promise<Known> {
    const known: Known = this.#known.get(graphId) ?? { ...unread(), reading: null };
    this.#known.delete(graphId);
    this.#known.set(graphId, known);
    // A call that comes while the file is read waits for that, and then looks itself: what it must see may be newer.
    const before = known.reading;
    const reading = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#catchUp(known, this.#store.paths(graphId).journal, whole));
    known.reading = reading;
    try {
      await reading;
      return { ...known };
    } finally {
      if (known.reading === reading) known.reading = null;
      this.#shrink();
    }
  }

  async #catchUp(known: Known, journal: string, whole: boolean): Promise<void> {
    if (whole && known.fold === null) Object.assign(known, unread());
    for (;;) {
      const last = known.marks.at(-1) as JournalPlace;
      const piece = await readJournal(journal, last, markBytes);
      if (piece.shorter || (known.fold === null && piece.entries.length > 0)) {
        Object.assign(known, unread());
        continue;
      }
      for (const { entry } of piece.entries) known.fold?.apply(entry);
      if (piece.place.offset > last.offset) {
        // The last mark moves on until it is far enough from the one before it.
        const before = known.marks.at(-2);
        if (before !== undefined && last.offset - before.offset < markBytes) known.marks.pop();
        known.marks.push(piece.place);
      }
      if (!piece.more) return;
    }
  }

  /** Lets go of what was not asked for lately: first of nodes, and of summaries where there are very many. */
  #shrink(): void {
    const whole = [...this.#known.values()].filter(({ fold }) => fold !== null);
    let folds = whole.length;
    let nodes = whole.reduce((sum, { fold }) => sum + (fold?.touched.size ?? 0), 0);
    for (const known of whole) {
      if (folds <= 1 || (folds <= this.#limits.folds && nodes <= this.#limits.nodes)) break;
      // Who reads it now counts on what it finds.
      if (known.fold === null || known.reading !== null) continue;
      folds -= 1;
      nodes -= known.fold.touched.size;
      known.summary = known.fold.summary();
      known.fold = null;
      known.marks = [known.marks.at(-1) as JournalPlace];
    }
    for (const graphId of this.#known.keys()) {
      if (this.#known.size <= this.#limits.summaries) return;
      this.#known.delete(graphId);
    }
  }
}

function unread(): Omit<Known, 'reading'> {
  const fold = new GraphFold();
  return { fold, summary: fold, marks: [journalStart] };
}
