import type { z } from 'zod';
import type { scriptDocShape } from '../../../src/api/schemas/scripts.js';

type ScriptDoc = z.infer<z.ZodObject<typeof scriptDocShape>>;

/** What the API tells of a process, or of a script that was sent to be looked at. */
export interface EntryFacts extends ScriptDoc {
  readonly doc: string;
}
export interface Process extends EntryFacts {
  readonly name: string;
}
export type Param = ScriptDoc['params'][number];
