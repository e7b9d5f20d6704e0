import { z } from 'zod';
import { paramTypes } from '../script-doc.js';

const paramSchema = z.object({
  name: z.string(),
  type: z.enum(paramTypes),
  default: z.any(),
  required: z.boolean(),
  description: z.string(),
  choices: z.array(z.any()).nullable(),
});

/** What a script says of itself, in parts. */
export const scriptDocShape = {
  summary: z.string().describe('The first paragraph of the docstring.'),
  input: z.string().nullable().describe('Its section `Input:`.'),
  output: z.string().nullable().describe('Its section `Output:`.'),
  settings: z.record(z.string(), z.any()).describe('Literal arguments of `@pixyz_schedule(...)`.'),
  params: z
    .array(paramSchema)
    .describe('Lines of its section `Params:`, such as `size (int, default 512): of the picture`.'),
  params_note: z.string().nullable().describe('What stands behind `Params:` itself, such as `none.`'),
};

export const exampleDoc = {
  summary: 'Waits.',
  input: null,
  output: '{"sleep": <duration>}; no files.',
  settings: { queue: 'cpu' },
  params: [
    {
      name: 'duration',
      type: 'number' as const,
      default: 0.1,
      required: false,
      description: 'seconds; how long to wait.',
      choices: null,
    },
  ],
  params_note: null,
};

export const inspectedScriptSchema = z
  .object({
    ok: z.boolean(),
    problem: z.string().nullable().describe('Why the script cannot be used; then the rest is empty.'),
    doc: z.string(),
    ...scriptDocShape,
  })
  .meta({ id: 'InspectedScript', examples: [{ ok: true, problem: null, doc: 'Waits.', ...exampleDoc }] });

export const inspectFormSchema = z.object({
  script: z.string().meta({ format: 'binary', description: 'The Python script.' }),
  entrypoint: z.string().optional().describe('The function to look at. Default `main`.'),
});
