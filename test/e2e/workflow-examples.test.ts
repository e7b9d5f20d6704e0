import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { Graphs } from '../support/graph-system.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

/** The workflow files that come with the project, on real CAD files; and that their types serve users elsewhere. */

const sample = (name: string): string => join(projectRoot, 'samples', name);

let system: SystemUnderTest;
let graphs: Graphs;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'pixyz-examples-'));
  system = await startSystemUnderTest({
    env: { WORKFLOWS_PATH: join(projectRoot, 'workflows') },
    worker: { CONCURRENT_TASKS: '2' },
  });
  graphs = new Graphs(system);
  await waitFor(
    async () => {
      const { workflows } = await graphs.get('/workflows');
      expect(workflows.map(({ name, usable }: { name: string; usable: boolean }) => [name, usable])).toEqual([
        ['convert-and-thumbnail', true],
        ['lod-cascade', true],
        ['nightly-batch', true],
      ]);
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}, 120_000);
afterAll(async () => {
  await system?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function start(name: string, input: unknown, model?: string): Promise<string> {
  const form = new FormData();
  form.set('run', new Blob([JSON.stringify({ input })], { type: 'application/json' }), 'run.json');
  if (model !== undefined) form.set('model', new Blob([readFileSync(sample(model))]), model);
  const answer = await graphs.call(`/workflows/${name}`, { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`POST /workflows/${name} answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

async function outputs(job: string): Promise<string[]> {
  return ((await graphs.get(`/jobs/${job}/outputs`)) as { outputs: string[] }).outputs.sort();
}

describe('convert-and-thumbnail', () => {
  it('makes a file of the format and four pictures', async () => {
    const id = await start('convert-and-thumbnail', { extension: 'obj', size: 64 }, 'bolt.step');
    const { state, message, workflow } = await graphs.ended(id, 120_000);
    expect([state, message]).toEqual(['succeeded', null]);
    expect(workflow.result).toMatchObject({ model: { output: 'output.obj' }, pictures: { job: expect.any(String) } });
    expect(await outputs(workflow.result.model.job)).toContain('output.obj');
    expect(await outputs(workflow.result.pictures.job)).toEqual(expect.arrayContaining(['iso.png', 'x.png']));
  });
});

describe('lod-cascade', () => {
  it('goes on while levels look like the model, and stops at the first that does not', async () => {
    const id = await start('lod-cascade', { ratios: [0.6, 0.3, 0.01], worst: 0.05 }, 'pump-unit.step');
    const { state, message, workflow } = await graphs.ended(id, 160_000);
    expect([state, message]).toEqual(['succeeded', null]);
    const { levels, rejected } = workflow.result;
    expect(levels.length).toBeGreaterThan(0);
    expect(levels.map(({ ratio }: { ratio: number }) => ratio)).toEqual([0.6, 0.3].slice(0, levels.length));
    for (const { deviation, job } of levels) {
      expect(deviation).toBeLessThanOrEqual(0.05);
      expect(await outputs(job)).toContain('lod.glb');
    }
    expect(rejected.deviation).toBeGreaterThan(0.05);
    // What would be coarser still was never started.
    const { counts } = await graphs.get(`/graphs/${id}`);
    expect(counts).toMatchObject({ total: levels.length + 2, succeeded: levels.length + 2 });
  }, 180_000);
});

describe('nightly-batch', () => {
  it('converts what lies in a folder on a schedule, tells what it could not, and takes what it has made before', async () => {
    const folder = join(scratch, 'incoming');
    const target = join(scratch, 'converted');
    mkdirSync(folder);
    cpSync(sample('bolt.step'), join(folder, 'bolt.step'));
    cpSync(sample('bolted-cover.igs'), join(folder, 'cover.igs'));
    writeFileSync(join(folder, 'empty.step'), 'this is no model');
    writeFileSync(join(folder, 'notes.txt'), 'left alone');
    const made = await graphs.call('/workflows/nightly-batch/schedules', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'night', every: 2, name: 'the night', input: { folder, target } }),
    });
    expect(made.status, await made.clone().text()).toBe(200);
    const ended = async (count: number) =>
      waitFor(
        async () => {
          const { graphs: runs } = await graphs.get('/graphs?name=the+night&state=succeeded');
          expect(runs.length).toBeGreaterThanOrEqual(count);
          return runs;
        },
        { timeoutMs: 120_000, intervalMs: 200 },
      );
    const [first] = await ended(1);
    expect(first.workflow.result).toEqual({
      converted: ['bolt.step', 'cover.igs'],
      failed: [{ name: 'empty.step', why: expect.stringContaining('convert empty.step did not succeed') }],
    });
    expect(readdirSync(target).sort()).toEqual(['bolt.glb', 'cover.glb']);

    const [second] = (await ended(2)).filter(({ id }: { id: string }) => id !== first.id);
    expect((await graphs.call('/workflows/nightly-batch/schedules/night', { method: 'DELETE' })).status).toBe(200);
    const { job } = await graphs.get(`/graphs/${second.id}/nodes/${encodeURIComponent('convert bolt.step')}`);
    const details = await graphs.get(`/jobs/${job}/details`);
    expect(JSON.stringify(details)).toContain('took the outputs and the result of job');
  }, 180_000);
});

describe('the types of the public entry point', () => {
  it('check a file outside of the project, and find a mistake in it', async () => {
    const place = join(scratch, 'elsewhere');
    mkdirSync(join(place, 'node_modules'), { recursive: true });
    symlinkSync(projectRoot, join(place, 'node_modules', 'pixyz-temporal-scheduler'));
    writeFileSync(
      join(place, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          module: 'nodenext',
          target: 'es2023',
          noEmit: true,
          skipLibCheck: true,
          types: [],
        },
        include: ['*.ts'],
      }),
    );
    writeFileSync(join(place, 'package.json'), '{"type": "module"}');
    const write = (field: string) =>
      writeFileSync(
        join(place, 'mine.ts'),
        `import { chain, sleep, type Task, task } from 'pixyz-temporal-scheduler/workflow';
         export default async function mine(given: { n: number }): Promise<number> {
           const one: Task<{ n: number }> = task({ process: 'sleep', ${field}: given.n });
           await sleep('1 second');
           await chain({ script: 'a.py' }, (before) => ({ script: 'b.py', params: before.handedOn() }));
           return (await one).n;
         }`,
      );
    const tsc = () =>
      promisify(execFile)(process.execPath, [
        join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'),
        '-p',
        place,
      ]);
    write('timeLimit');
    await tsc();
    write('timelimit');
    await expect(tsc()).rejects.toMatchObject({ stdout: expect.stringContaining("Did you mean to write 'timeLimit'") });
  });
});
