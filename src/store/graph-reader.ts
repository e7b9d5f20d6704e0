import { GraphFold } from './graph-fold.js';
import type { GraphStore } from './graph-store.js';
import { type JournalPlace, journalStart, type NumberedEntry, readJournal } from './journal-file.js';

/** Graphs whose state is kept; a fold costs some 200 bytes a node. */
const foldsKept = 100;
/** Between two places that are kept: what has to be read again to answer from any sequence number on. */
const markBytes = 64 << 10;

interface Known {
  fold: GraphFold;
  /** Places in the journal, ascending; the last is how far the fold has come. */
  marks: JournalPlace[];
  reading: Promise<void> | null;
}

/** The state of graphs, from their journals. Only what is new is read. */
export class GraphReader {
  readonly #store: GraphStore;
  /** In the order of last use: the first is the next to go. */
  readonly #known = new Map<string, Known>();

  constructor(store: GraphStore) {
    this.#store = store;
  }

  /** Everything that the journal says by now. The fold goes on changing with later calls; it must not be changed. */
  async fold(graphId: string): Promise<GraphFold> {
    return (await this.#upToDate(graphId)).fold;
  }

  /** Entries after a sequence number (0: from the first), at most `limit`. */
  async events(graphId: string, after: number, limit: number): Promise<NumberedEntry[]> {
    const { marks } = await this.#upToDate(graphId);
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

  async #upToDate(graphId: string): Promise<Known> {
    const known = this.#known.get(graphId) ?? { fold: new GraphFold(), marks: [journalStart], reading: null };
    this.#known.delete(graphId);
    this.#known.set(graphId, known);
    if (this.#known.size > foldsKept) this.#known.delete(this.#known.keys().next().value as string);
    // A call that comes while the file is read waits for that, and then looks itself: what it must see may be newer.
    const before = known.reading;
    const reading = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#catchUp(known, this.#store.paths(graphId).journal));
    known.reading = reading;
    await reading;
    return known;
  }

  async #catchUp(known: Known, journal: string): Promise<void> {
    for (;;) {
      const last = known.marks.at(-1) as JournalPlace;
      const piece = await readJournal(journal, last, markBytes);
      if (piece.shorter) {
        known.fold = new GraphFold();
        known.marks = [journalStart];
        continue;
      }
      for (const { entry } of piece.entries) known.fold.apply(entry);
      if (piece.place.offset > last.offset) {
        // The last mark moves on until it is far enough from the one before it.
        const before = known.marks.at(-2);
        if (before !== undefined && last.offset - before.offset < markBytes) known.marks.pop();
        known.marks.push(piece.place);
      }
      if (!piece.more) return;
    }
  }
}
