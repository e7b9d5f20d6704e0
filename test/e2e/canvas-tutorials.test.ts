import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import type { Details } from '../support/api-client.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

// `python-sdk.md` §13.2: the tutorial scripts that start others, with the outcomes of the original.

const samples = join(projectRoot, 'samples');
const bolt = join(samples, 'bolt.step');
const id = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const seconds = expect.any(Number);
const python = process.env['PYTHON'] ?? 'python3';
const task = [[id, null], null];

let system: SystemUnderTest;
/** It sleeps for 50 seconds: started first, looked at last. */
let groupOfSleeps: Promise<Details>;
beforeAll(async () => {
  system = await startSystemUnderTest({
    worker: { CONCURRENT_TASKS: '6', QUEUE_NAME: 'cpu,gpu,gpuhigh,control,zip,wine' },
  });
  groupOfSleeps = run('03_group_async');
});
afterAll(() => system.stop());

function run(
  name: string,
  request: { readonly file?: string; readonly params?: unknown; readonly config?: unknown } = {},
): Promise<Details> {
  return system.api.run({ script: sourceOf(name), ...request }, 120_000);
}

function sourceOf(name: string): string {
  return readFileSync(join(projectRoot, 'scripts', `${name}.py`), 'utf8');
}

/** Ids of a handle in JSON form, the last task first. */
function idsOf(shape: unknown): string[] {
  return JSON.stringify(shape).match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
}

async function outputsOf(jobId: string): Promise<string[]> {
  const answer = (await (await system.api.get(`/jobs/${jobId}/outputs`)).json()) as { outputs: string[] };
  return answer.outputs.sort((a, b) => a.localeCompare(b));
}

/** Sum of the checksums of four slices, as the script cuts them. */
function slicedSum(path: string): number {
  const bytes = readFileSync(path);
  const length = Math.ceil(bytes.length / 4);
  return [0, 1, 2, 3].reduce((sum, part) => sum + crc32(bytes.subarray(part * length, (part + 1) * length)), 0);
}

describe('02_celery_dag', () => {
  it('sync: the result is the record of the callback, with the sum of the checksums', async () => {
    const details = await run('02_celery_dag_sync', { file: bolt });
    expect(details.status).toBe('SUCCESS');
    expect(details.result).toMatchObject({ progress: 100, result: { crc32: slicedSum(bolt) } });
    const steps = details.steps?.map((step) => step.info) ?? [];
    expect(steps.slice(0, 2)).toEqual(['splitting file', 'chord']);
    // A step for each message of what it waited for: four slices (start, step, end) and the callback (start, end).
    expect(steps.slice(2).filter((info) => info.endsWith('SUCCESS'))).toHaveLength(5);
    expect(await outputsOf(details.uuid)).toEqual(['crc_part0', 'crc_part1', 'crc_part2', 'crc_part3']);
  });

  it('async: the result is the ids, the callback first', async () => {
    const details = await run('02_celery_dag_async', { file: bolt });
    expect(details).toMatchObject({ status: 'SUCCESS', steps: [{ info: 'splitting file' }, { info: 'chord' }] });
    expect(details.result).toEqual([
      [
        id,
        [
          [id, null],
          [task, task, task, task],
        ],
      ],
      null,
    ]);
    const callback = await system.api.ended(idsOf(details.result)[0] ?? '');
    expect(callback).toMatchObject({ status: 'SUCCESS', result: { crc32: slicedSum(bolt) } });
  });
});

describe('04_chain_async', () => {
  it('ends at once; the last link has a tenth of the time of the one before', async () => {
    const details = await run('04_chain_async', { params: { from: 'the parent' } });
    expect(details.result).toEqual([[id, [[id, null], null]], null]);
    const last = await system.api.ended(idsOf(details.result)[0] ?? '');
    expect(last).toMatchObject({ status: 'SUCCESS', result: { id: 2, from: 'the parent' } });
    expect(last.result.time).toBeCloseTo(0.02, 10);
  });
});

describe('05_chain_cpu_gpu', () => {
  const outcome = {
    mine: 1,
    output_dir: expect.any(String),
    process_duration: seconds,
    pxz: expect.stringMatching(/outputs\/export\.pxz$/),
    thumbs: {
      iso: expect.stringMatching(/iso\.png$/),
      x: expect.stringMatching(/x\.png$/),
      y: expect.stringMatching(/y\.png$/),
      z: expect.stringMatching(/z\.png$/),
      time: seconds,
    },
  };

  it('sync: gives the parameters and what both links add, in two steps', async () => {
    const details = await run('05_chain_cpu_gpu_sync', { file: bolt, params: { mine: 1 } });
    expect(details.error).toBe(null);
    expect(details.result).toEqual(outcome);
    expect(details.steps?.map((step) => step.info)).toEqual([id, id]);
    expect(await outputsOf(details.uuid)).toEqual(['export.pxz']);
  });

  it('async: gives the ids, the last link first', async () => {
    const details = await run('05_chain_cpu_gpu_async', { file: bolt, params: { mine: 1 } });
    expect(details.result).toEqual([[id, [[id, null], null]], null]);
    expect((await system.api.ended(idsOf(details.result)[0] ?? '')).result).toEqual(outcome);
  });
});

describe('06_chain', () => {
  it('cpu_cpu_gpu_test: ends at once, or waits for five queues', async () => {
    expect(await run('06_chain_cpu_cpu_gpu_test')).toMatchObject({ status: 'SUCCESS', result: { status: 'ok' } });
    const waited = await run('06_chain_cpu_cpu_gpu_test', { config: { entrypoint: 'main_wait' } });
    expect(waited).toMatchObject({ status: 'SUCCESS', result: { sleep_control: true } });
    expect(waited.steps?.map((step) => step.info)).toEqual([id, id, id, id, id]);
  });

  // A program of its own, as the real one is; it reads what the open engine reads.
  const converter = [
    '/usr/bin/env',
    `PYTHONPATH=${join(projectRoot, 'python')}`,
    python,
    join(projectRoot, 'test', 'fixtures', 'stand-in-converter.py'),
  ];
  const outcome = {
    filepath: expect.stringMatching(/outputs\/export\.pxz$/),
    output_dir: expect.any(String),
    preview: { file: 'preview.glb', size: '512x512' },
    metadata: expect.objectContaining({ part_count: seconds }),
    process_duration: seconds,
    pxz: expect.stringMatching(/outputs\/export\.pxz$/),
    thumbs: { iso: 'iso.png', x: 'x.png', y: 'y.png', z: 'z.png' },
  };
  const files = ['export.pxz', 'iso.png', 'preview.glb', 'x.png', 'y.png', 'z.png'];

  it('wine_cpu_gpu: an external converter, a preparation, pictures', async () => {
    const details = await run('06_chain_wine_cpu_gpu', { file: bolt, config: { converter } });
    expect(details.error).toBe(null);
    expect(details.result).toEqual(outcome);
    expect(details.steps).toHaveLength(3);
    expect(await outputsOf(details.uuid)).toEqual(files);
  });

  it('wine_cpu_gpu_async: the same, not waited for', async () => {
    const details = await run('06_chain_wine_cpu_gpu_async', { file: bolt, config: { converter } });
    expect(details.result).toEqual([[id, [[id, [[id, null], null]], null]], null]);
    expect((await system.api.ended(idsOf(details.result)[0] ?? '')).result).toEqual(outcome);
  });

  it('wine_cpu_gpu without its converter: the failure of the first link is that of the job', async () => {
    const details = await run('06_chain_wine_cpu_gpu', { file: bolt });
    expect(details.status).toBe('FAILURE');
    expect(details.error?.trimEnd().split('\n').at(-1)).toMatch(/^FileNotFoundError: .*python3wine/);
  });
});

describe('parallel_process', () => {
  it('prepares every part of an archive and puts them together', async () => {
    const folder = mkdtempSync(join(system.folder, 'parts-'));
    const archive = join(folder, 'parts.zip');
    const make =
      "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n    for p in sys.argv[2:]: z.write(p, p.split('/')[-1])";
    execFileSync(python, ['-c', make, archive, bolt, join(samples, 'cover.stl')]);
    const details = await run('parallel_process', { file: archive });
    expect(details.error).toBe(null);
    expect(details.result).toMatchObject({ result: { output: 'output.glb', parts: 2, triangles: seconds } });
    expect(await outputsOf(details.uuid)).toEqual([
      '0-bolt.pxz',
      '0-bolt.step',
      '1-cover.pxz',
      '1-cover.stl',
      'output.glb',
    ]);
  });
});

describe('thumbnail_chained', () => {
  const files = ['export.pxz', 'iso.png', 'metadata.json', 'preview.glb', 'x.png', 'y.png', 'z.png'];

  it.each([
    ['a file', join(samples, 'pump-unit.step')],
    ['an archive', join(samples, 'crate-obj-textured.zip')],
  ])('makes pictures, preview and counts of %s in the folder of the job', async (_, file) => {
    const details = await system.api.run(
      { process: 'thumbnail_chained', file, params: { width: 64, height: 64, mine: 1 } },
      180_000,
    );
    expect(details.error).toBe(null);
    expect(details.result).toEqual({
      mine: 1,
      filepath: expect.any(String),
      output_dir: expect.stringContaining(details.uuid),
      width: 512,
      height: 512,
      preview: { file: 'preview.glb', size: '512x512' },
      metadata: expect.objectContaining({ part_count: seconds, aabb: expect.any(String) }),
      process_duration: seconds,
      pxz: expect.stringMatching(/export\.pxz$/),
      thumbs: { iso: 'iso.png', x: 'x.png', y: 'y.png', z: 'z.png' },
    });
    const steps = details.steps?.map((step) => step.info) ?? [];
    expect(steps.filter((info) => info !== 'Extracting archive')).toEqual([id, id]);
    expect(await outputsOf(details.uuid)).toEqual(files);
  });
});

describe('locally, in one process', () => {
  it.each([
    ['04_chain_async', [], /^\(\('[0-9a-f-]{36}', \(\('[0-9a-f-]{36}', None\), None\)\), None\)$/, []],
    ['05_chain_cpu_gpu_sync', [bolt], /'thumbs': /, ['export.pxz']],
    ['06_chain_cpu_cpu_gpu_test', [], /^\{'sleep_control': True\}$/, []],
  ] as const)('%s', (name, args, printed, files) => {
    const cwd = mkdtempSync(join(system.folder, 'local-'));
    const env = { PATH: process.env['PATH'], PYTHONPATH: join(projectRoot, 'python') };
    const script = join(projectRoot, 'scripts', `${name}.py`);
    expect(execFileSync(python, [script, ...args], { cwd, env, encoding: 'utf8' }).trim()).toMatch(printed);
    // Each task has a folder of its own, named by its id.
    expect(readdirSync(cwd).filter((entry) => !/^[0-9a-f-]{36}$/.test(entry))).toEqual(files);
  });
});

it('no tutorial script is left out', () => {
  const tried = readFileSync(import.meta.filename, 'utf8');
  const names = readdirSync(join(projectRoot, 'scripts')).filter((name) => /^(?!0[01]_).*\.py$/.test(name));
  expect(names.filter((name) => !tried.includes(`'${name.slice(0, -3)}'`))).toEqual([]);
});

describe('03_group_async', () => {
  it('ends at once; each of its four sleeps has a record of its own', async () => {
    const details = await groupOfSleeps;
    expect(details.status).toBe('SUCCESS');
    expect(details.result).toEqual([
      [id, null],
      [task, task, task, task],
    ]);
    const sleeps = await Promise.all(
      idsOf(details.result)
        .slice(1)
        .map((job) => system.api.ended(job, 120_000)),
    );
    expect(sleeps.map((job) => [job.status, job.result])).toEqual([
      ['SUCCESS', 2],
      ['SUCCESS', 3],
      ['SUCCESS', 4],
      ['SUCCESS', 50],
    ]);
    expect(sleeps.map((job) => job.steps?.length)).toEqual([1, 1, 1, 1]);
    const answer = await system.api.get(`/backend/get_task_meta/${sleeps[0]?.uuid}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ result: { result: 2 }, parent_id: details.uuid, children: [] });
    const parent = await (await system.api.get(`/backend/get_task_meta/${details.uuid}`)).json();
    expect(parent).toMatchObject({
      children: [[[expect.any(String), null], sleeps.map(({ uuid }) => [[uuid, null], null])]],
    });
  }, 180_000);
});
