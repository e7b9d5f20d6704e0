import { z } from 'zod';
import { listProcesses, processScript } from '../../compile/processes.js';
import type { ScriptInspector } from '../../contract/inspection.js';
import { EngineError } from '../../errors/engine-error.js';
import type { App } from '../deps.js';
import { presentDoc } from '../presenters/script-doc.js';
import { errorAnswers } from '../schemas/errors.js';
import { truthy } from '../schemas/jobs.js';
import { exampleDoc, scriptDocShape } from '../schemas/scripts.js';

const processDocSchema = z.object({ doc: z.string(), name: z.string(), ...scriptDocShape }).meta({
  id: 'ProcessDoc',
  examples: [{ name: 'sleep', doc: "Process 'sleep' documentation:\n\nWaits.", ...exampleDoc }],
});

const processListSchema = z
  .object({
    processes: z.array(z.string()),
    details: z.array(processDocSchema).optional().describe('Only with `details=true`.'),
  })
  .meta({ id: 'ProcessList', examples: [{ processes: ['convert_file', 'generate_thumbnails', 'sleep'] }] });

/** The scripts that are there already. No token: they hold no data. */
export function processesRoutes(app: App, folder: string, inspector: ScriptInspector): void {
  const details = async (name: string): Promise<z.infer<typeof processDocSchema>> => {
    const found = await inspector.inspect(await processScript(folder, name), 'main');
    if (!found.ok) throw new EngineError('NOT_FOUND', `process "${name}" has no documentation: ${found.problem}`);
    return { ...presentDoc(found), name, doc: `Process '${name}' documentation:\n\n${found.doc ?? ''}` };
  };

  app.get(
    '/processes',
    {
      schema: {
        tags: ['processes'],
        summary: 'Names of the shipped processes',
        querystring: z.object({
          details: truthy
            .optional()
            .describe('With what each does and takes; one that cannot be read is left out of these.'),
        }),
        response: { 200: processListSchema, ...errorAnswers(400, 500) },
      },
    },
    async (request) => {
      const processes = await listProcesses(folder);
      if (request.query.details !== true) return { processes };
      const all = await Promise.all(processes.map((name) => details(name).catch(() => null)));
      return { processes, details: all.filter((one) => one !== null) };
    },
  );

  app.get(
    '/processes/:process_name',
    {
      schema: {
        tags: ['processes'],
        summary: 'Documentation of one process',
        description: 'Its text, and the same in parts, as far as these are understood.',
        params: z.object({ process_name: z.string().meta({ examples: ['convert_file'] }) }),
        response: { 200: processDocSchema, ...errorAnswers(400, 404, 500) },
      },
    },
    (request) => details(request.params.process_name),
  );
}
