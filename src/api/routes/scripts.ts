import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import multipart from '@fastify/multipart';
import type { z } from 'zod';
import type { Inspection, ScriptInspector } from '../../contract/inspection.js';
import { EngineError } from '../../errors/engine-error.js';
import type { App, Request } from '../deps.js';
import { presentDoc } from '../presenters/script-doc.js';
import { errorAnswers } from '../schemas/errors.js';
import { inspectedScriptSchema, inspectFormSchema } from '../schemas/scripts.js';

const maxScriptBytes = 4 * 1024 * 1024;

/** What a script says of itself before it is sent as a job: for the form of its parameters. Nothing is kept, nothing is run. */
export function scriptsRoutes(inspector: ScriptInspector) {
  return async (app: App): Promise<void> => {
    await app.register(multipart, {
      limits: { fileSize: maxScriptBytes, files: 1, fields: 4, fieldSize: 1000 },
      throwFileSizeLimit: true,
    });
    app.post(
      '/scripts/inspect',
      {
        config: { docs: { body: inspectFormSchema } },
        schema: {
          tags: ['processes'],
          security: [{ APIKeyHeader: [] }],
          summary: 'What a script says of itself',
          description: 'It is parsed, not run. A script that cannot be used is told as `problem`, with 200.',
          response: { 200: inspectedScriptSchema, ...errorAnswers(400, 401, 413, 500, 503) },
        },
      },
      async (request) => present(await inspect(request, inspector)),
    );
  };
}

async function inspect(request: Request, inspector: ScriptInspector): Promise<Inspection> {
  const { script, entrypoint } = await received(request);
  const folder = await mkdtemp(join(tmpdir(), 'pixyz-script-'));
  try {
    const file = join(folder, 'script.py');
    await writeFile(file, script);
    return await inspector.inspect(file, entrypoint);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function received(request: Request): Promise<{ script: Buffer; entrypoint: string }> {
  if (!request.isMultipart()) throw noScript();
  let script: Buffer | null = null;
  let entrypoint = 'main';
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      const content = await part.toBuffer();
      if (part.fieldname === 'script') script = content;
    } else if (part.fieldname === 'entrypoint' && typeof part.value === 'string' && part.value !== '') {
      entrypoint = part.value;
    }
  }
  if (script === null) throw noScript();
  return { script, entrypoint };
}

function noScript(): EngineError {
  return new EngineError('BAD_REQUEST', 'send the script as a file of a form (multipart/form-data): -F script=@path');
}

function present(found: Inspection): z.infer<typeof inspectedScriptSchema> {
  if (found.ok) return { ok: true, problem: null, doc: found.doc ?? '', ...presentDoc(found) };
  const nothing = { summary: '', input: null, output: null, settings: {}, params: [], params_note: null };
  return { ok: false, problem: found.problem, doc: '', ...nothing };
}
