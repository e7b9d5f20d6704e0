import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../src/api/app.js';
import { JobStore } from '../../src/store/job-store.js';
import { FakeEngine } from './fake-engine.js';

/** The OpenAPI document of the API, as clients get it. */
export async function openApiDocument<T>(): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-openapi-'));
  const app = await buildApp({
    options: {
      tokenSha256: createHash('sha256').update('x').digest('hex'),
      maxUploadBytes: 1,
      processPath: folder,
      retryTimeLimit: 1,
      rescueWait: 1,
      temporalUi: null,
    },
    store: new JobStore(folder),
    engine: new FakeEngine(),
    inspector: { inspect: async () => ({ ok: false, problem: 'none here' }) },
  });
  await app.ready();
  const document = JSON.parse(JSON.stringify(app.swagger())) as T;
  await app.close();
  rmSync(folder, { recursive: true, force: true });
  return document;
}
