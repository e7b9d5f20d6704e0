import { z } from 'zod';

/** The fields of the form of `POST /jobs` that are text; empty ones have been dropped before. */
export const jobFormSchema = z.object({
  process: z
    .string()
    .default('custom')
    .meta({
      description: '`custom`, or the name of a shipped process (`GET /processes`).',
      examples: ['custom', 'convert_file'],
    }),
  params: z
    .string()
    .optional()
    .meta({
      description: 'JSON that the entrypoint receives.',
      examples: ['{"extension": "glb"}'],
    }),
  config: z
    .string()
    .optional()
    .meta({
      description: 'JSON object: how to run the job, see the schema JobConfig.',
      examples: ['{"entrypoint": "main", "queue": "gpu", "time_limit": 3600}'],
    }),
  name: z
    .string()
    .optional()
    .meta({ description: 'Display name.', examples: ['pump for the shop'] }),
});

/** The same with the files, for the documentation: they are streamed to the disk and never pass a schema. */
export const documentedJobFormSchema = z.object({
  ...jobFormSchema.shape,
  file: z.string().optional().meta({ format: 'binary', description: 'Input: a 3D model, an archive, anything.' }),
  script: z.string().optional().meta({ format: 'binary', description: 'Python script; required for `custom`.' }),
});
