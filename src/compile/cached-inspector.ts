import { createHash } from 'node:crypto';
import type { Inspection, ScriptInspector } from '../contract/inspection.js';
import { type Files, pooledFiles } from '../store/files.js';

const maxEntries = 500;
/** Larger files are looked at each time rather than read here and hashed: a script of that size is a mistake anyway. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Remembers what was found in a script, by its content: processes do not change, and pipelines send the same script for
 * every model, so the interpreter is asked once. A changed file has another hash, so nothing needs to be forgotten.
 */
export class CachedInspector implements ScriptInspector {
  readonly #inner: ScriptInspector;
  readonly #filesOf: (path: string) => Files;
  readonly #found = new Map<string, Promise<Inspection>>();

  /** @param filesOf how the file of that path is to be read */
  constructor(inner: ScriptInspector, filesOf: (path: string) => Files = () => pooledFiles) {
    this.#inner = inner;
    this.#filesOf = filesOf;
  }

  async inspect(path: string, entrypoint: string): Promise<Inspection> {
    // Of what cannot be read (a folder, a file of somebody else) the one that is asked says why.
    const content = await this.#filesOf(path)
      .readSmall(path, maxBytes)
      .catch(() => null);
    if (content === null) return this.#inner.inspect(path, entrypoint);
    const key = `${createHash('sha256').update(content).digest('hex')} ${entrypoint}`;
    const known = this.#found.get(key);
    if (known !== undefined) {
      // The newest stand last, so the first is the one not asked for longest.
      this.#found.delete(key);
      this.#found.set(key, known);
      return known;
    }
    const found = this.#inner.inspect(path, entrypoint);
    this.#found.set(key, found);
    // Only what was understood is kept: a problem may be one of the interpreter, and gone the next time.
    found.then(
      (inspection) => inspection.ok || this.#found.delete(key),
      () => this.#found.delete(key),
    );
    const oldest = this.#found.keys().next().value;
    if (this.#found.size > maxEntries && oldest !== undefined) this.#found.delete(oldest);
    return found;
  }
}
