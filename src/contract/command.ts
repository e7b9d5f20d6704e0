import { z } from 'zod';

/** A program that a node runs instead of a script. */
export const commandSchema = z.object({
  /** The program, or with `shell` the whole line. Tokens of Houdini's PDG are expanded by the worker. */
  program: z.string().min(1),
  args: z.array(z.string()),
  shell: z.boolean(),
  /** null unsets a variable. */
  env: z.record(z.string(), z.string().nullable()),
  /** null: the node's output folder. */
  cwd: z.string().nullable(),
  okExitCodes: z.array(z.number().int().min(0).max(255)).min(1),
  /** Files that must be there when it has ended; relative ones are below the outputs. */
  expectedOutputs: z.array(z.string()),
});
export type Command = z.infer<typeof commandSchema>;
