/** What only the interpreter knows of a job, written into its record between attempts. */
export type RecordChange =
  /** The worker of an attempt is lost; another attempt follows. */
  | { readonly kind: 'lost'; readonly attempt: number; readonly message: string; readonly nextQueue: string }
  /** It waits in another queue now. */
  | { readonly kind: 'moved'; readonly queue: string }
  | { readonly kind: 'failed'; readonly attempt: number; readonly message: string }
  | { readonly kind: 'revoked'; readonly message: string }
  /** It had ended, and is to run again on request; `attempt` is the next one. */
  | { readonly kind: 'revived'; readonly attempt: number; readonly queue: string };
