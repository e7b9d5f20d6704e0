import { SourceMap } from 'node:module';

/** Finds places of a bundle in the files that it was made from. */

export interface SourcePlace {
  /** As the bundler called it: an absolute path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** @returns a look-up of places, counted from 1; it gives null for what no file stands behind */
export function sourcePlaces(code: string): (line: number, column: number) => SourcePlace | null {
  const encoded = /\/\/# sourceMappingURL=data:application\/json[^,]*;base64,([\w+/=]+)\s*$/.exec(code)?.[1];
  if (encoded === undefined) return () => null;
  const map = new SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
  return (line, column) => {
    const entry = map.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return null;
    return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
}
