import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// `rest-api.md` §11 items 2 and 4 to 7, over HTTP on the running system.

const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/;
const utcOffset = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/;

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
});
afterAll(() => system.stop());

/** A script that goes on when the test says so: no sleeps, and the test sees every state. */
const gate = `
import os, time
def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)
`;

describe('a job that succeeds', () => {
  it('shows name, progress, steps, times and the result as the field matrix says', async () => {
    const go = join(system.folder, 'go-success');
    const script = `${gate}
def main(pc, params):
    pc.progress_set_total(2)
    pc.progress_next('first')
    wait_for(params['go'])
    pc.progress_next('second')
    wait_for(params['go'] + '2')
    return {'sum': params['a'] + 1, 'when': __import__('datetime').date(2026, 11, 21), 'tuple': (1, 2)}
`;
    const jobId = await system.api.submit({ script, params: { a: 41, go }, name: 'my job' });
    const first = await waitFor(async () => {
      const details = await system.api.details(jobId);
      expect(details.steps).toHaveLength(1);
      return details;
    });
    expect(first).toMatchObject({
      name: 'my job',
      status: 'RUNNING',
      progress: 0,
      error: null,
      steps: [{ duration: -1, info: 'first' }],
      retry: 0,
    });
    expect(first.time_info.request).toMatch(utc);
    expect(first.time_info.started).toMatch(utcOffset);
    expect(first.time_info.stopped).toBe(null);
    await touch(go);
    const second = await waitFor(async () => {
      const details = await system.api.details(jobId);
      expect(details.steps).toHaveLength(2);
      return details;
    });
    expect(second.progress).toBe(50);
    expect(second.steps?.[0]?.duration).toBeGreaterThan(0);
    await touch(`${go}2`);
    const last = await system.api.ended(jobId);
    expect(last).toMatchObject({
      status: 'SUCCESS',
      progress: 100,
      error: null,
      name: 'my job',
      result: { sum: 42, when: '2026-11-21', tuple: [1, 2] },
    });
    expect(last.steps?.map((step) => step.info)).toEqual(['first', 'second']);
    expect(last.time_info.stopped).toMatch(utcOffset);
    expect(Object.keys(last).slice(0, 9)).toEqual([
      'uuid',
      'name',
      'status',
      'progress',
      'error',
      'time_info',
      'steps',
      'retry',
      'result',
    ]);
  });

  it('a name may be as long as it likes', async () => {
    const name = '支架 '.repeat(3000);
    expect(await system.api.run({ process: 'api_test', name })).toMatchObject({ status: 'SUCCESS', name });
  });

  it('parameters reach the script digit by digit', async () => {
    const form = new FormData();
    form.set('params', '{"id": 9007199254740993, "scale": 1.0, "10": "a", "2": "b"}');
    form.set('script', new Blob(['def main(pc, params):\n    return repr(params)\n']), 's.py');
    const answer = await fetch(`${system.api.url}/jobs`, {
      method: 'POST',
      headers: { 'x-api-key': system.api.token },
      body: form,
    });
    const { uuid } = (await answer.json()) as { uuid: string };
    expect((await system.api.ended(uuid)).result).toBe("{'id': 9007199254740993, 'scale': 1.0, '10': 'a', '2': 'b'}");
  });

  it('results reach the client digit by digit', async () => {
    const { uuid } = await system.api.run({
      script: 'def main(pc, params):\n    return {"id": 2**64 + 1, "scale": 1.0}\n',
    });
    const answer = await system.api.get(`/jobs/${uuid}/details`);
    expect(await answer.text()).toContain('"result":{"id":18446744073709551617,"scale":1.0}');
  });

  it('a raw job shows its value too', async () => {
    const details = await system.api.run({
      script: 'def main(pc, params):\n    return {"mesh": 7}\n',
      config: { raw: true },
    });
    expect(details).toMatchObject({ status: 'SUCCESS', result: { mesh: 7 } });
  });

  it('keys of the configuration and of the decorator reach the script, the configuration wins', async () => {
    const script = `
from pixyz_worker.script import *
@pixyz_schedule(queue='gpu', colour='red', size=3)
def main(pc, params):
    return [pc['queue'], pc['colour'], pc['size'], pc['retry'], pc['time_limit'], pc['entrypoint'], pc['task_id']]
`;
    const jobId = await system.api.submit({ script, config: { colour: 'blue', queue: null, time_limit: 77 } });
    expect((await system.api.ended(jobId)).result).toEqual(['gpu', 'blue', 3, 0, 77, 'main', jobId]);
  });

  it('a result of many megabytes arrives whole, and stays out of the state', async () => {
    const details = await system.api.run({ script: 'def main(pc, params):\n    return {"x": "y" * 20_000_000}\n' });
    expect(details.status).toBe('SUCCESS');
    expect((details.result as { x: string }).x).toHaveLength(20_000_000);
  });
});

describe('a job that fails', () => {
  it('keeps name, times and steps, and tells the whole traceback', async () => {
    const script = `
def inner():
    raise ValueError('boom')
def main(pc, params):
    pc.progress_next('before')
    inner()
`;
    const details = await system.api.run({ script, name: 'breaks' });
    expect(details).toMatchObject({ status: 'FAILURE', name: 'breaks', retry: 0 });
    expect(details.error).toContain('in inner');
    expect(details.error?.trimEnd().split('\n').at(-1)).toBe('ValueError: boom');
    expect(details.steps?.map((step) => step.info)).toEqual(['before']);
    expect(details.time_info.started).toMatch(utcOffset);
    expect(details.time_info.stopped).toMatch(utcOffset);
    const state = (await (await system.api.get(`/jobs/${details.uuid}`)).json()) as { error: string };
    expect(state.error).toBe('Internal error');
  });

  it('a result that JSON cannot hold says which value it is', async () => {
    const details = await system.api.run({ script: 'def main(pc, params):\n    return {"a": [1, {2, 3}]}\n' });
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/set/);
  });

  it('module-level sys.exit() ends the job, not the worker', async () => {
    const details = await system.api.run({ script: 'import sys\nsys.exit(3)\ndef main(pc, params):\n    return 1\n' });
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/PixyzExitFault: .*3/);
    expect((await system.api.run({ process: 'api_test' })).status).toBe('SUCCESS');
  });
});

describe('archives', () => {
  it('go from 404 over 425 to the zip, and are made again when the outputs have changed', async () => {
    expect((await system.api.get('/jobs/11111111-2222-4333-8444-555555555555/outputs/archive')).status).toBe(404);
    const script = `
import os
def main(pc, params):
    os.makedirs(pc.get_output_dir('sub'))
    for name in ('a.txt', 'sub/b c.txt'):
        with open(pc.get_output_dir(name), 'w') as f:
            f.write(name)
`;
    const { uuid } = await system.api.run({ script });
    const first = await system.api.get(`/jobs/${uuid}/outputs/archive`);
    expect(first.status).toBe(425);
    const zip = await waitFor(async () => {
      const answer = await system.api.get(`/jobs/${uuid}/outputs/archive`);
      expect(answer.status).toBe(200);
      return Buffer.from(await answer.arrayBuffer());
    });
    expect(zip.subarray(0, 2).toString()).toBe('PK');
    for (const name of ['a.txt', 'sub/', 'sub/b c.txt']) expect(zip.includes(name)).toBe(true);
  });
});

describe('input archives', () => {
  it('are unpacked, and the main file is found or taken as named', async () => {
    const file = join(projectRoot, 'samples', 'crate-obj-textured.zip');
    const script =
      'import os\ndef main(pc, params):\n    return os.path.relpath(pc.get_input_file(), pc.get_input_dir())\n';
    const found = await system.api.run({ script, file });
    expect(found).toMatchObject({ status: 'SUCCESS', result: 'crate-model/crate.obj' });
    expect(found.steps?.[0]?.info).toBe('Extracting archive');
    expect(await system.api.run({ script, file, config: { root_file: 'crate-model/readme.txt' } })).toMatchObject({
      result: 'crate-model/readme.txt',
    });
  });

  it('a root file outside, a missing one, and a broken archive are failures that say so', async () => {
    const file = join(projectRoot, 'samples', 'crate-obj-textured.zip');
    const script = 'def main(pc, params):\n    return 1\n';
    const errorOf = async (request: object): Promise<string> =>
      (await system.api.run({ script, file, ...request })).error ?? 'no error';
    expect(await errorOf({ config: { root_file: '../x' } })).toMatch(/PixyzSecurityViolation/);
    expect(await errorOf({ config: { root_file: '/etc/passwd' } })).toMatch(/PixyzSecurityViolation/);
    expect(await errorOf({ config: { root_file: 'nothing.obj' } })).toMatch(/nothing\.obj/);
    expect(await errorOf({ file: join(projectRoot, 'samples', 'broken', 'truncated.zip') })).toMatch(/archive|zip/i);
    expect(
      await errorOf({
        file: { name: 'empty.zip', content: Buffer.from('504b0506000000000000000000000000000000000000', 'hex') },
      }),
    ).toMatch(/3D file/i);
  });
});

describe('lists', () => {
  it('a job that waits for a worker is listed, and its state says that nobody serves its queue', async () => {
    const jobId = await system.api.submit({ script: 'def main(pc, params):\n    pass\n', config: { queue: 'wine' } });
    await waitFor(async () => {
      const { jobs } = (await (await system.api.get('/jobs')).json()) as { jobs: { uuid: string; status: string }[] };
      expect(jobs.find((job) => job.uuid === jobId)).toMatchObject({ status: 'PENDING' });
    });
    await waitFor(async () => expect((await system.api.details(jobId)).waiting).toMatch(/wine/));
    expect((await system.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await system.api.ended(jobId)).status).toBe('REVOKED');
  });

  it('a job that expires before it starts is revoked with the reason', async () => {
    const details = await system.api.run({
      script: 'def main(pc, params):\n    pass\n',
      config: { queue: 'wine', expires: 1 },
    });
    expect(details).toMatchObject({ status: 'REVOKED', result: 'expired' });
  });

  it('a countdown delays the start', async () => {
    const details = await system.api.run({ script: 'def main(pc, params):\n    pass\n', config: { countdown: 1.5 } });
    const { request, started } = details.time_info;
    expect(Date.parse(started ?? '') - Date.parse(`${request}Z`)).toBeGreaterThanOrEqual(1500);
  });
});

describe('a repeated job', () => {
  it('runs the same script on the same input under an id of its own', async () => {
    const script = 'def main(pc, params):\n    return open(pc.get_input_file()).read() + params["x"]\n';
    const first = await system.api.run({ script, file: { name: 'in.txt', content: 'abc' }, params: { x: '!' } });
    const answer = await system.api.send('POST', `/jobs/${first.uuid}/retry`);
    expect(answer.status).toBe(200);
    const { uuid } = (await answer.json()) as { uuid: string };
    expect(uuid).not.toBe(first.uuid);
    expect((await system.api.ended(uuid)).result).toBe('abc!');
  });

  it('a deleted job leaves nothing on the share', async () => {
    const { uuid } = await system.api.run({ process: 'api_test' });
    expect((await system.api.send('DELETE', `/jobs/${uuid}`)).status).toBe(200);
    expect(existsSync(join(system.share, uuid))).toBe(false);
  });
});

async function touch(path: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(path, '');
}
