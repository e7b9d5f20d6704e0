import type { Json } from './json.js';

/** Reads what a script says of itself without running it. */
export interface ScriptInspector {
  /** @param entrypoint a module-level, non-async function */
  inspect(path: string, entrypoint: string): Promise<Inspection>;
}

export type Inspection =
  | {
      readonly ok: true;
      /** Keyword arguments of the entrypoint's innermost `@pixyz_schedule(...)`. */
      readonly settings: Readonly<Record<string, Json>>;
      /** The cleaned docstring of the entrypoint. */
      readonly doc: string | null;
    }
  | { readonly ok: false; readonly problem: string };
