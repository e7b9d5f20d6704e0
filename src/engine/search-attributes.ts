/**
 * Facts of a run that lists are filtered by. The names are wire format: runs that are stored carry them.
 * They are made in the namespace by `src/server` and wherever else a namespace is prepared.
 */
export const searchAttributes = {
  PixyzName: 'KEYWORD',
  PixyzQueue: 'KEYWORD',
  PixyzProcess: 'KEYWORD',
  PixyzState: 'KEYWORD',
  PixyzGraph: 'KEYWORD',
} as const;

export type SearchAttributeName = keyof typeof searchAttributes;
