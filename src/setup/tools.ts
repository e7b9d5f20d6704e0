/** What `tools/` lends to set-up: it exists before this code is compiled, so it is handed over and not imported. */
export interface SetUpTools {
  /** Shows one line. */
  readonly say: (text: string) => void;
  /** Runs work that takes a while, and shows how it goes. */
  step<T>(
    title: string,
    work: (detail: (text: string) => void) => Promise<T>,
    options?: {
      /** Where nobody watches a live line, each new detail is a line of its own. */
      readonly everyDetail?: boolean;
    },
  ): Promise<T>;
  /** One at a time across processes. */
  withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T>;
  runProgram(
    command: string,
    args: readonly string[],
    options: {
      readonly what: string;
      readonly cwd?: string;
      readonly env?: NodeJS.ProcessEnv;
      readonly onLine?: (line: string) => void;
    },
  ): Promise<void>;
}

/** Something the user can put right: shown as a sentence, without a stack. */
export class Problem extends Error {
  override readonly name = 'Problem';
}
