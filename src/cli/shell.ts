/** A place to write to, and what it is. */
export interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** Everything that the command gets from outside: the real one comes from `main.ts`, tests hand in their own. */
export interface Shell {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted at Ctrl-C. */
  readonly stop: AbortSignal;
  /** Binary output, for files that go to standard output. */
  readonly binary: NodeJS.WritableStream;
  /** Takes the terminal over: runs a program to its end and gives its exit code. */
  readonly foreground: (command: string, args: readonly string[]) => Promise<number>;
}
