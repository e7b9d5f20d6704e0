import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

// Worker processes with a stand-in for the real module, whose licence server answers what a file says.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: false });
});
afterAll(() => system?.stop());

function licensed(name: string, answers: string): Record<string, string> {
  const script = join(system.folder, name);
  writeFileSync(script, answers);
  return {
    PIXYZ_PYTHON_PATH: join(projectRoot, 'test', 'fixtures', 'pxz-stand-ins', 'licensed'),
    LICENSE_FLEXLM: 'true',
    LICENSE_HOST: 'licence.example',
    LM_LICENSE_FILE: script,
  };
}

it('a worker that gets no licence ends with exit code 100 and says why, and no other worker minds', async () => {
  const other = await system.startWorker(licensed('given', 'no yes'));
  const refused = await system.launchWorker(licensed('refused', 'no'));
  expect(await refused.exited).toEqual({ code: 100, signal: null });
  expect(refused.log()).toContain('licence.example:27000');
  expect(readFileSync(join(system.folder, 'refused.calls'), 'utf8')).toContain('configureLicenseServer');
  expect((await fetch(`${other.url}/readyz`)).status).toBe(200);
  expect((await system.api.run({ process: 'api_test' })).status).toBe('SUCCESS');
});

it('a worker whose scripts take the licence themselves comes up without one', async () => {
  const worker = await system.startWorker({ ...licensed('later', 'no'), LICENSE_ACQUIRE_AT_START: 'false' });
  expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);
});
