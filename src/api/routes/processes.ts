import { z } from 'zod';
import { EngineError } from '../../errors/engine-error.js';
import type { App, ScriptInspector } from '../deps.js';
import { listProcesses, processScript } from '../processes.js';
import { errorAnswers } from '../schemas/errors.js';

const processListSchema = z
  .object({ processes: z.array(z.string()) })
  .meta({ id: 'ProcessList', examples: [{ processes: ['convert_file', 'generate_thumbnails', 'sleep'] }] });

const processDocSchema = z.object({ doc: z.string() }).meta({
  id: 'ProcessDoc',
  examples: [{ doc: "Process 'sleep' documentation:\n\nWaits for the number of seconds in `duration`." }],
});

/** The scripts that are there already. No token: they hold no data. */
export function processesRoutes(app: App, folder: string, inspector: ScriptInspector): void {
  app.get(
    '/processes',
    {
      schema: {
        tags: ['processes'],
        summary: 'Names of the shipped processes',
        response: { 200: processListSchema, ...errorAnswers(500) },
      },
    },
    async () => ({ processes: await listProcesses(folder) }),
  );

  app.get(
    '/processes/:process_name',
    {
      schema: {
        tags: ['processes'],
        summary: 'Documentation of one process',
        params: z.object({ process_name: z.string().meta({ examples: ['convert_file'] }) }),
        response: { 200: processDocSchema, ...errorAnswers(400, 404, 500) },
      },
    },
    async (request) => {
      const name = request.params.process_name;
      const found = await inspector.inspect(await processScript(folder, name), 'main');
      if (!found.ok) throw new EngineError('NOT_FOUND', `process "${name}" has no documentation: ${found.problem}`);
      return { doc: `Process '${name}' documentation:\n\n${found.doc ?? ''}` };
    },
  );
}
