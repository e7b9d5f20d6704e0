import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

// The retry table, each row by the real fault.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({
    env: { PIXYZ_RETRY_TIME_LIMIT: '5' },
    worker: {
      CONCURRENT_TASKS: '2',
      QUEUE_NAME: 'cpu,gpu,gpuhigh,control,zip,clean,wine',
      MAX_MEMORY_USAGE: '1048576',
    },
  });
});
afterAll(() => system.stop());

const script = (body: string): string =>
  `import os, sys, signal, time, ctypes\ndef main(pc, params):\n${body.replace(/^/gm, '    ')}\n`;

const faults = {
  'exit code': { body: 'sys.exit(3)', outcome: 'exit', error: /PixyzExitFault: .*3/ },
  'os._exit': { body: 'os._exit(7)', outcome: 'exit', error: /PixyzExitFault: .*7/ },
  signal: { body: 'os.kill(os.getpid(), signal.SIGKILL)', outcome: 'signal', error: /PixyzSignalFault: .*9/ },
  segfault: { body: 'ctypes.string_at(0)', outcome: 'signal', error: /PixyzSignalFault: .*11/ },
  MemoryError: { body: 'x = bytearray(3 * 2**30)', outcome: 'memory', error: /MemoryError/ },
} as const;

describe('a fault of the script', () => {
  for (const [name, fault] of Object.entries(faults)) {
    it(`${name} on cpu is tried once more on gpuhigh, then fails with what happened`, async () => {
      const details = await system.api.run({ script: script(fault.body), name });
      expect(details.attempts?.map(({ queue, outcome }) => [queue, outcome])).toEqual([
        ['cpu', fault.outcome],
        ['gpuhigh', fault.outcome],
      ]);
      expect(details).toMatchObject({ status: 'FAILURE', retry: 1, name });
      expect(details.error).toMatch(fault.error);
    });
  }

  it.each(['gpuhigh', 'control', 'wine'])('on %s is tried once more on the same queue', async (queue) => {
    const details = await system.api.run({ script: script('sys.exit(1)'), config: { queue } });
    expect(details.attempts?.map((attempt) => attempt.queue)).toEqual([queue, queue]);
    expect(details.status).toBe('FAILURE');
  });

  it('gone at the second try, the job succeeds and says that it was retried', async () => {
    const details = await system.api.run({
      script: script('if pc["retry"] == 0:\n    os._exit(1)\nreturn [pc["queue"], pc["retry"]]'),
    });
    expect(details).toMatchObject({ status: 'SUCCESS', retry: 1, result: ['gpuhigh', 1] });
  });

  it('a time limit kills the script, and the rescue gets the limit of the rescue', async () => {
    const details = await system.api.run({
      script: script('time.sleep(2)\nreturn pc["time_limit"]'),
      config: { time_limit: 0.5 },
    });
    expect(details.attempts?.map(({ queue, outcome }) => [queue, outcome])).toEqual([
      ['cpu', 'time-limit'],
      ['gpuhigh', 'succeeded'],
    ]);
    expect(details).toMatchObject({ status: 'SUCCESS', result: 5 });
  });

  it('a time limit of zero is passed at once', async () => {
    const details = await system.api.run({
      script: script('time.sleep(60)'),
      config: { time_limit: 0, queue: 'wine' },
    });
    expect(details.error).toMatch(/PixyzTimeout/);
  });

  it('an ordinary exception is not tried again', async () => {
    const details = await system.api.run({ script: script('raise KeyError("part")') });
    expect(details).toMatchObject({ status: 'FAILURE', retry: 0 });
    expect(details.attempts).toHaveLength(1);
  });

  it('a script that uses more memory than the limit is ended with both figures in the message', async () => {
    // Each of the two stays below the limit on address space; the watch sees the whole tree.
    const body = `import subprocess
code = "x = b'x' * (700 * 2**20); import time; time.sleep(30)"
for child in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]:
    child.wait()`;
    const details = await system.api.run({ script: script(body), config: { queue: 'wine', retries: 0 } });
    expect(details.attempts?.[0]?.outcome).toBe('memory');
    expect(details.error).toMatch(/MemoryError: .*1\.?0* ?GiB|MemoryError: .*1024/);
  });

  it('a STEP file that crashes the CAD reader is tried once more, and the worker goes on', async () => {
    const file = join(projectRoot, 'samples', 'broken', 'crash-segfault.step');
    const details = await system.api.run({ process: 'convert_file', file, params: { extension: 'glb' } });
    expect(details.attempts?.map(({ queue, outcome }) => [queue, outcome])).toEqual([
      ['cpu', 'signal'],
      ['gpuhigh', 'signal'],
    ]);
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/PixyzSignalFault: .*11/);
    expect((await system.api.run({ process: 'api_test' })).status).toBe('SUCCESS');
  });

  it('outputs of a dead attempt are not among the outputs', async () => {
    const body =
      'name = f"attempt-{pc[\'retry\']}.txt"\nopen(pc.get_output_dir(name), "w").close()\nif pc["retry"] == 0:\n    os._exit(1)';
    const { uuid } = await system.api.run({ script: script(body) });
    expect(readdirSync(join(system.share, uuid, 'outputs'))).toEqual(['attempt-1.txt']);
    expect(await (await system.api.get(`/jobs/${uuid}/outputs`)).json()).toEqual({ outputs: ['attempt-1.txt'] });
  });
});

describe('a rescue queue that nobody serves', () => {
  it('does not keep a job for ever: it runs again on its own queue', async () => {
    const small = await startSystemUnderTest({
      env: { PIXYZ_RESCUE_WAIT: '1' },
      worker: { QUEUE_NAME: 'cpu,control' },
    });
    try {
      const details = await small.api.run({
        script: script('if pc["retry"] == 0:\n    os._exit(1)\nreturn pc["queue"]'),
      });
      expect(details).toMatchObject({ status: 'SUCCESS', result: 'cpu', retry: 1 });
    } finally {
      await small.stop();
    }
  });
});
