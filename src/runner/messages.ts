import { z } from 'zod';
import { faultKinds } from '../contract/job.js';
import type { Json } from '../contract/json.js';

/** A value that came out of `JSON.parse`: it is JSON already, walking through it would only cost time. */
const json = z.custom<Json>((value) => value !== undefined);

/** What a child says on its socket. Users' code shares its process, so each message is checked. */
export const childMessageSchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('hello'), pid: z.number().int(), log: z.string(), inputDir: z.string() }),
  z.object({ t: z.literal('refused'), pid: z.number().int(), code: z.enum(['LICENCE', 'PIXYZ']), message: z.string() }),
  z.object({ t: z.literal('begin') }),
  z.object({ t: z.literal('broken'), pid: z.number().int(), detail: z.string() }),
  z.object({
    t: z.literal('progress'),
    progress: z.number().int().min(0).max(99).optional(),
    /** Index of the first step that may have changed; `steps` are those from there on. */
    from: z.number().int().min(0).optional(),
    steps: z.array(z.object({ duration: z.number(), info: z.string() })).optional(),
    meta: z.record(z.string(), json).optional(),
  }),
  /** Something for the activity; a `reply` with the same number follows. */
  z.object({ t: z.literal('ask'), id: z.number().int(), request: z.unknown() }),
  /** It waits for other jobs, and it goes on. */
  z.object({ t: z.literal('waiting') }),
  z.object({ t: z.literal('resumed') }),
  z.discriminatedUnion('ok', [
    z.object({
      t: z.literal('outcome'),
      ok: z.literal(true),
      result: json,
      resultFileBytes: z.number().int().nullable(),
      alone: z.boolean(),
    }),
    z.object({
      t: z.literal('outcome'),
      ok: z.literal(false),
      error: z.object({
        kind: z.enum(faultKinds),
        type: z.string(),
        module: z.string(),
        message: z.string(),
        traceback: z.string(),
        args: z.string().optional(),
      }),
      /** It has neither threads nor children of its own, and has closed the log. */
      alone: z.boolean(),
      /** The script called `sys.exit(n)`. */
      exitCode: z.number().int().optional(),
      /** It met its memory limit. */
      memory: z.object({ limitBytes: z.number(), seenBytes: z.number() }).optional(),
    }),
  ]),
]);
export type ChildMessage = z.infer<typeof childMessageSchema>;
export type ChildOutcome = Extract<ChildMessage, { t: 'outcome' }>;

/** The answer to an `ask`. */
export type Reply =
  | { readonly t: 'reply'; readonly id: number; readonly ok: true; readonly value: Json }
  | { readonly t: 'reply'; readonly id: number; readonly ok: false; readonly error: string };

/** What the host says; it runs our code alone. */
export type HostEvent =
  | { readonly ev: 'up'; readonly pid: number; readonly swept: number; readonly helpers: readonly number[] }
  | { readonly ev: 'forked'; readonly pid: number }
  | { readonly ev: 'gone'; readonly pid: number; readonly code: number | null; readonly signal: number | null }
  | {
      readonly ev: 'over';
      readonly pid: number;
      readonly what: 'memory' | 'processes';
      readonly limit: number;
      readonly seen: number;
    }
  | { readonly ev: 'stats'; readonly residentBytes: number }
  | { readonly ev: 'failed'; readonly message: string };

export type HostCommand =
  | {
      readonly op: 'took';
      readonly pid: number;
      readonly attempt: string;
      readonly memory: number | null;
      readonly processes: number | null;
    }
  | { readonly op: 'end'; readonly pid: number; readonly graceMs: number; readonly dump: boolean }
  | { readonly op: 'stop' };
