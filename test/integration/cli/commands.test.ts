import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Context } from '../../../src/cli/context.js';
import { Live } from '../../../src/cli/live.js';
import { transferBar } from '../../../src/cli/transfer.js';
import { type ApiUnderTest, startApi, token, writeOutput } from '../../support/api-under-test.js';
import { pixyz, type ShellOptions } from '../../support/shell.js';
import { waitFor } from '../../support/wait-for.js';

// Commands against the real application, whose engine runs nothing: what is sent, what is printed, what it ends with.

async function start() {
  const api = await startApi();
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-commands-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = (args: readonly string[], options: ShellOptions = {}) =>
    pixyz(args, { cwd: folder, ...options, env: { PIXYZ_URL: api.url, PIXYZ_TOKEN: token, ...options.env } });
  return { api, folder, run };
}

/** Plays the worker: ends the next job that is sent. */
async function endNext(api: ApiUnderTest, changes: Parameters<ApiUnderTest['seed']>[0]): Promise<string> {
  const id = await waitFor(() => {
    const [graph] = [...api.engine.graphs.keys()];
    return graph === undefined ? false : graph.replace(/0$/, '1');
  });
  const spec = await api.store.readSpec(id);
  const { newRecord } = await import('../../../src/contract/job.js');
  await api.store.writeRecord({ ...newRecord(spec as never), ...changes });
  return id;
}

describe('exec', () => {
  it('in batch mode prints the id and nothing else', async () => {
    const { api, folder, run } = await start();
    writeFileSync(join(folder, 's.py'), 'def go(pc, params):\n    return 1\n');
    const ran = await run([
      'exec',
      '-s',
      's.py',
      '-e',
      'go',
      '-q',
      'gpu',
      '-l',
      '60',
      '-a',
      'mine',
      '-p',
      '{"x": 1}',
      '-b',
    ]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    const spec = await api.store.readSpec(ran.stdout.trim());
    expect(spec).toMatchObject({ entrypoint: 'go', queue: 'gpu', timeLimit: 60, name: 'mine', paramsText: '{"x":1}' });
  });

  it.each([
    ['SUCCESS', 0],
    ['FAILURE', 10],
    ['REVOKED', 11],
  ] as const)(
    'watched to %s ends with %d in each mode, and standard output stays clean in batch mode',
    async (status, code) => {
      const error =
        status === 'FAILURE'
          ? {
              kind: 'exception' as const,
              type: 'ValueError',
              module: 'builtins',
              message: 'boom',
              traceback: 'ValueError: boom',
            }
          : null;
      for (const flags of [['-bw'], ['-w'], ['-w', '--json']]) {
        const { api, folder, run } = await start();
        writeFileSync(join(folder, 's.py'), 'def main(pc, params):\n    return 1\n');
        const running = run(['exec', '-s', 's.py', ...flags]);
        const id = await endNext(api, { status, error, progress: status === 'SUCCESS' ? 100 : null });
        const ran = await running;
        expect(ran.code).toBe(code);
        if (flags[0] === '-bw') expect(ran.stdout).toBe(`${id}\n`);
        else if (flags.includes('--json')) expect(JSON.parse(ran.stdout)).toMatchObject({ uuid: id, status });
        else
          expect(ran.stdout).toContain(
            `Job [ ${id} ] progress: ${status === 'SUCCESS' ? '100' : '000'}, status: ${status}`,
          );
        if (error !== null && flags[0] === '-bw') expect(ran.stderr).toContain('ValueError: boom');
      }
    },
  );

  it('draws a live line on a terminal, and none elsewhere', async () => {
    const { api, folder, run } = await start();
    writeFileSync(join(folder, 's.py'), 'def main(pc, params):\n    return 1\n');
    let said = '';
    const onSaid = (text: string): void => {
      said += text;
    };
    const running = run(['exec', '-s', 's.py', '-w'], { tty: true, onSaid });
    const id = await endNext(api, { status: 'RUNNING', progress: 40, steps: [{ duration: -1, info: 'decimating' }] });
    await waitFor(() => expect(said).toContain('decimating'));
    await endNext(api, { status: 'SUCCESS', progress: 100 });
    const { stderr } = await running;
    expect(stderr).toContain(`Job [ ${id} ] progress: 040, status: RUNNING (decimating) ████░░░░░░`);
    expect(stderr).toContain('\u001b[');
  });
});

describe('uploads', () => {
  it('are never said to go on from earlier ones', async () => {
    let said = '';
    const screen = { isTTY: true, columns: 200, rows: 20, write: (text: string) => void (said += text) };
    const bar = transferBar({ live: new Live(screen) } as Context, 'Uploading', false);
    await waitFor(() => {
      bar.onProgress(95, 1000);
      expect(said).toContain('Uploading: [███');
    });
    bar.done();
    expect(said).not.toContain('on from');
  });
});

describe('watching', () => {
  it('ends at Ctrl-C with 130, and says how to go on', async () => {
    const { api, run } = await start();
    const { jobId } = await api.seed({ status: 'RUNNING' });
    const stop = new AbortController();
    // The line of a job is drawn once its first state has come.
    const onSaid = (text: string): void => {
      if (text.includes(jobId)) stop.abort();
    };
    const ran = await run(['status', '-w', jobId], { stop: stop.signal, tty: true, onSaid });
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain(`pixyz status -w ${jobId}`);
  });

  it('several jobs ends with the code of the first that did not succeed', async () => {
    const { api, run } = await start();
    const ids = await Promise.all([api.seed({ status: 'SUCCESS' }), api.seed({ status: 'REVOKED' })]);
    const ran = await run(['status', '-w', ...ids.map(({ jobId }) => jobId)]);
    expect(ran.code).toBe(11);
    expect(JSON.parse(ran.stdout)).toMatchObject([{ status: 'SUCCESS' }, { status: 'REVOKED' }]);
  });
});

describe('what is printed', () => {
  it('is JSON of four spaces for programs, and tables for people', async () => {
    const { api, run } = await start();
    writeFileSync(join(api.processes, 'convert.py'), 'def main(pc, params):\n    """Converts."""\n');
    expect((await run(['list'])).stdout).toBe('{\n    "processes": [\n        "convert"\n    ]\n}\n');
    expect((await run(['list'], { tty: true })).stdout).toBe('convert\n');
    expect((await run(['doc', '-n', 'convert'])).stdout).toContain('Converts.');
    const id = await api.submit({ name: 'mine' });
    expect(JSON.parse((await run(['jobs', '--name', 'mine'])).stdout).jobs).toMatchObject([{ uuid: id }]);
    expect((await run(['jobs'], { tty: true, env: { NO_COLOR: '1' } })).stdout).toMatch(
      new RegExp(`^JOB +STATUS.*\n${id}  PENDING +mine\n$`),
    );
    expect((await run(['status', '-j', id], { tty: true })).stdout).toContain('status');
    expect(JSON.parse((await run(['details', '-j', id])).stdout)).toMatchObject({ uuid: id });
    expect(JSON.parse((await run(['queues'])).stdout).queues).toHaveLength(6);
    expect((await run(['queues'], { tty: true })).stdout).toContain('QUEUE');
    expect((await run(['workers'], { tty: true })).stdout).toContain('no worker is alive');
    expect(JSON.parse((await run(['workers'])).stdout)).toEqual({ workers: [] });
    const tty = { tty: true, env: { NO_COLOR: '1' } };
    expect((await run(['queues', 'pause', 'gpu', '--reason', 'lunch'], tty)).stdout).toBe(
      'queue gpu is paused: 0 scripts run on, 0 waiting\n',
    );
    expect((await run(['queues'], tty)).stdout).toMatch(/gpu +0 +paused: lunch/);
    expect((await run(['queues', 'resume', 'gpu'], tty)).stdout).toBe('queue gpu goes on: 0 waiting\n');
    expect((await run(['workers', 'drain', 'nobody'])).stderr).toContain('there is no worker "nobody": alive are none');
    expect((await run(['version'])).stdout).toMatch(/^pixyz-scheduler-client v\d/);
  });

  it('an error is a sentence on standard error; with --json its facts are on standard output', async () => {
    const { run } = await start();
    const id = '3c7b1077-d4f2-42ce-98b0-8d9f00000001';
    const ran = await run(['cancel', id]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^pixyz: .*no job/);
    expect(JSON.parse((await run(['cancel', id, '--json'])).stdout)).toMatchObject({
      error: { status: 404, code: 'NOT_FOUND' },
    });
    const refused = await run(['jobs', '-t', 'wrong']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('PIXYZ_TOKEN') });
  });

  it('flags before the command mean the same', async () => {
    const { api } = await start();
    const ran = await pixyz(['-u', api.url, '-t', token, '--json', 'jobs']);
    expect(JSON.parse(ran.stdout)).toEqual({ jobs: [], next: null });
  });
});

describe('jobs', () => {
  it('are cancelled, retried and removed, several at once, on after a refusal', async () => {
    const { api, run } = await start();
    const open = await api.submit();
    expect((await run(['cancel', '-j', open])).stdout).toBe(`Job [ ${open} ] cancelled\n`);
    const ended = await api.seed({ status: 'FAILURE' });
    expect((await run(['retry', ended.jobId])).stdout).toContain(`a retry of ${ended.jobId}`);
    const ran = await run(['rm', '3c7b1077-d4f2-42ce-98b0-8d9f00000001', ended.jobId]);
    expect(ran).toMatchObject({ code: 1, stdout: `Job [ ${ended.jobId} ] removed\n` });
    expect(ran.stderr).toContain('3c7b1077');
  });

  it('their outputs are listed and fetched', async () => {
    const { api, folder, run } = await start();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await writeOutput(api.store, jobId, 'sub/a.txt', 'hello');
    expect(JSON.parse((await run(['outputs', '-j', jobId])).stdout)).toEqual({ outputs: ['sub'] });
    expect((await run(['outputs', jobId], { tty: true })).stdout).toMatch(/5\.0B .* sub\/a\.txt/);
    const ran = await run(['download', '-j', jobId, '-o', 'deep/b.txt']);
    expect(ran.stdout).toBe(`Job [ ${jobId} ] output 'sub/a.txt' downloaded to 'deep/b.txt' (5.0B)\n`);
    expect(readFileSync(join(folder, 'deep', 'b.txt'), 'utf8')).toBe('hello');
    expect((await run(['download', jobId, '-f', 'sub/a.txt', '-o', '-'])).stdout).toBe('hello');
    mkdirSync(join(folder, 'there'));
    for (const [output, made] of [
      ['there', 'there/a.txt'],
      ['new/', 'new/a.txt'],
    ] as const) {
      expect((await run(['download', jobId, '-o', output])).stdout).toContain(`downloaded to '${made}'`);
      expect(readFileSync(join(folder, made), 'utf8')).toBe('hello');
    }
    await writeOutput(api.store, jobId, 'c.txt', 'x');
    expect((await run(['download', jobId])).stderr).toContain('which output (-f)?');
    expect((await run(['download', jobId, '-f', 'none'])).code).toBe(1);
  });

  it('a download that is stopped tells how far it came, and goes on from there', async () => {
    const { api, folder, run } = await start();
    const content = Buffer.alloc(300_000, 'x');
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await writeOutput(api.store, jobId, 'big.bin', content);
    // It hands on the first third and then nothing more.
    const slow = createServer((request, response) => {
      void fetch(new URL(request.url ?? '/', api.url), { headers: { 'x-api-key': token } }).then(async (answer) => {
        response.writeHead(answer.status, { etag: answer.headers.get('etag') ?? '', 'content-length': content.length });
        response.write(Buffer.from(await answer.arrayBuffer()).subarray(0, 100_000));
      });
    });
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      slow.closeAllConnections();
      slow.close();
    });
    const stop = new AbortController();
    const stopped = run(['download', jobId, '-f', 'big.bin', '-o', 'big.bin'], {
      env: { PIXYZ_URL: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` },
      stop: stop.signal,
    });
    await waitFor(() => {
      const [part = ''] = readdirSync(folder).filter((name) => name.endsWith('.part'));
      expect(statSync(join(folder, part)).size).toBe(100_000);
    });
    stop.abort();
    expect(await stopped).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^stopped at 97\.7KiB of 293\.0KiB: /m),
    });
    const resumed = await run(['download', jobId, '-f', 'big.bin', '-o', 'big.bin']);
    expect(resumed.stdout).toContain('(293.0KiB, 97.7KiB of it earlier)');
    expect(readFileSync(join(folder, 'big.bin')).equals(content)).toBe(true);
  });

  it('an archive that is not made in time is 1', async () => {
    const { api, run } = await start();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await writeOutput(api.store, jobId, 'a.txt', 'hello');
    const ran = await run(['download_all', '-j', jobId, '--timeout', '0']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('the archive is not there yet');
  });
});

describe('result', () => {
  it('is what the job returned, or its failure and exit code', async () => {
    const { api, run } = await start();
    const good = await api.seed({ status: 'SUCCESS', result: { x: 1 } });
    expect(await run(['result', good.jobId])).toEqual({ code: 0, stdout: '{\n    "x": 1\n}\n', stderr: '' });
    const bad = await api.seed({ status: 'REVOKED' });
    expect(await run(['result', bad.jobId])).toMatchObject({ code: 11, stdout: '' });
  });
});

describe('purge', () => {
  it('counts what waits in a queue, and cancels it when it is told to', async () => {
    const { api, run } = await start();
    const waiting = await api.submit({ config: '{"queue": "gpu"}' });
    const other = await api.submit();
    expect(await run(['purge'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
    expect((await run(['purge', '-q', 'gpu'])).stdout).toBe('1 jobs wait in gpu; --yes cancels them\n');
    expect(api.engine.cancelled).toEqual([]);
    const purged = JSON.parse((await run(['purge', '-q', 'gpu', '--yes', '--json'])).stdout);
    expect(purged).toEqual({ waiting: [waiting], cancelled: [waiting], problems: [] });
    expect(api.engine.cancelled).not.toContain(other);
  });
});

describe('config', () => {
  it('keeps address and token in a file of the user, and tells where they are from', async () => {
    const { folder, run } = await start();
    const file = join(folder, 'own', 'pixyz.conf');
    const env = { PIXYZ_CONFIG: file, PIXYZ_URL: '', PIXYZ_TOKEN: '' };
    expect((await run(['config', 'set', 'url', 'http://10.0.0.1:8001'], { env })).code).toBe(0);
    expect((await run(['config', 'set', 'token', 'secret'], { env })).stdout).toBe(`token is kept in ${file}\n`);
    expect((await run(['config', 'set', 'url', 'http://10.0.0.2:8001'], { env })).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('PIXYZ_TOKEN=secret\nPIXYZ_URL=http://10.0.0.2:8001\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const shown = await run(['config', 'show'], { env });
    expect(shown.stdout).toBe(`address  http://10.0.0.2:8001\ntoken    from ${file}\nfile     ${file}\n`);
    expect(shown.stdout).not.toContain('secret');
    expect((await run(['config', 'set', 'url', 'nonsense'], { env })).code).toBe(2);
    expect((await run(['config', 'set', 'colour', 'red'], { env })).code).toBe(2);
  });

  it('says what becomes of a file of settings, and of a value that cannot be used, without its passwords', async () => {
    const { folder, run } = await start();
    const lines = 'API_PORT=http\nREDIS_PASSWORD=hidden\nLOG_LEVEL=INFO\nSHARE_PATH=\nCOLOUR=red\nQUEUE_NAME=cpu\n';
    writeFileSync(join(folder, 'pixyz-scheduler.conf'), lines);
    const ran = await run(['config', 'check', '--json']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).not.toContain('hidden');
    const { settings } = JSON.parse(ran.stdout) as { settings: { name: string; fate: string }[] };
    expect(settings.map(({ name, fate }) => `${name} ${fate}`)).toEqual([
      'API_PORT wrong',
      'REDIS_PASSWORD unused',
      'LOG_LEVEL elsewhere',
      'SHARE_PATH empty',
      'COLOUR unknown',
      'QUEUE_NAME used',
    ]);
    writeFileSync(join(folder, 'pixyz-scheduler.conf'), 'QUEUE_NAME=cpu\n');
    expect(await run(['config', 'check'])).toMatchObject({ code: 0, stdout: expect.stringContaining('used') });
  });
});

describe('graph', () => {
  const document = {
    name: 'g',
    nodes: [
      { id: 'a', script: 'steps' },
      { id: 'b', script: 'steps', params: '${{ nodes.a.result }}' },
    ],
  };

  it('is checked and drawn before it is sent', async () => {
    const { folder, run } = await start();
    writeFileSync(join(folder, 'graph.json'), JSON.stringify(document));
    const missing = await run(['graph', 'validate', 'graph.json']);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stdout).toContain('(unknown-file)');
    writeFileSync(join(folder, 'steps.py'), 'def main(pc, params):\n    return 1\n');
    const ran = await run(['graph', 'validate', 'graph.json']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^valid: 2 nodes, 1 dependencies, 2 levels/);
    expect(ran.stdout).toMatch(/\n○ a\n○ b\n$/);
    expect(JSON.parse((await run(['graph', 'validate', 'graph.json', '--json'])).stdout)).toMatchObject({
      valid: true,
    });
  });

  it('is sent, shown, listed and cancelled', async () => {
    const { api, folder, run } = await start();
    writeFileSync(join(folder, 'graph.json'), JSON.stringify(document));
    writeFileSync(join(folder, 'steps.py'), 'def main(pc, params):\n    return 1\n');
    const sent = await run(['graph', 'run', 'graph.json', '-b']);
    const id = sent.stdout.trim();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await run(['graph', 'show', id])).stdout).toContain('○ a  waiting\n○ b  waiting');
    expect(JSON.parse((await run(['graph', 'show', id, '--json'])).stdout).nodes).toHaveLength(2);
    expect((await run(['graph', 'list'], { tty: true })).stdout).toContain(id);
    expect(JSON.parse((await run(['graph', 'list', '--name-contains', 'G'])).stdout).graphs).toHaveLength(1);
    expect(JSON.parse((await run(['graph', 'list', '--name', 'other'])).stdout).graphs).toEqual([]);
    expect((await run(['graph', 'why', id, 'b'])).stdout).toMatch(/^node b is waiting\n/);
    expect((await run(['graph', 'cancel', id, '--node', 'a'])).stdout).toBe('node a: sent\n');
    expect((await run(['graph', 'pause', id])).stdout).toBe(`graph ${id} paused\n`);
    expect(api.engine.signals.map(({ name }) => name)).toContain('pauseGraph');
  });

  it('its nodes are listed, looked at and added to', async () => {
    const { api, folder, run } = await start();
    writeFileSync(join(folder, 'open.json'), JSON.stringify({ mode: 'open', nodes: [{ id: 'a', barrier: true }] }));
    const id = (await run(['graph', 'run', 'open.json', '-b'])).stdout.trim();
    const listed = await run(['graph', 'nodes', id], { tty: true });
    expect(listed.stdout).toMatch(/^NODE {2,}STATE {2,}JOB/);
    expect(listed.stdout).toContain('a');
    expect(JSON.parse((await run(['graph', 'node', id, 'a'])).stdout)).toMatchObject({ id: 'a' });
    writeFileSync(join(folder, 'steps.py'), 'def main(pc, params):\n    return 1\n');
    const more = {
      nodes: [
        { id: 'b', script: 'steps', deps: ['a'] },
        { id: 'c', deps: ['none'] },
      ],
    };
    writeFileSync(join(folder, 'more.json'), JSON.stringify(more));
    const added = await run(['graph', 'add', id, 'more.json']);
    expect(added).toMatchObject({ code: 1, stdout: expect.stringMatching(/^node b: created\nnode c: rejected: /) });
    expect((await run(['graph', 'priority', id, '2'])).stdout).toBe(`graph ${id} has priority 2\n`);
    expect(await run(['graph', 'priority', id, 'high'])).toMatchObject({ code: 2, stdout: '' });
    expect((await run(['graph', 'limit', id, '3'])).stdout).toBe(`graph ${id} runs 3 nodes at most\n`);
    expect((await run(['graph', 'limit', id, 'none'])).stdout).toBe(`graph ${id} has no limit\n`);
    expect(await run(['graph', 'limit', id, '0'])).toMatchObject({ code: 2, stdout: '' });
    expect(api.engine.signals.map(({ name }) => name)).toContain('addNodes');
  });

  it('is watched over a restart of the API', async () => {
    const { api, folder, run } = await start();
    writeFileSync(join(folder, 'graph.json'), JSON.stringify({ nodes: [{ id: 'a', process: 'nap' }] }));
    writeFileSync(join(api.processes, 'nap.py'), 'def main(pc, params):\n    return 1\n');
    const id = (await run(['graph', 'run', 'graph.json', '-b'])).stdout.trim();
    let away = false;
    let streams = 0;
    let said = '';
    const proxy = createServer((request, response) => {
      if (away) return void request.socket.destroy();
      const path = request.url ?? '/';
      // Held open until the API goes away, as an event stream is.
      if (path.endsWith('/events')) {
        streams += 1;
        return void response.writeHead(200).write(': hello\n\n');
      }
      return void api.call(path).then(async (answer) => response.writeHead(answer.status).end(await answer.text()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const stop = new AbortController();
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const onSaid = (text: string): void => {
      said += text;
    };
    const watching = run(['graph', 'watch', id, '-u', url], { stop: stop.signal, onSaid });
    await waitFor(() => expect(streams).toBeGreaterThan(0));
    away = true;
    proxy.closeAllConnections();
    await waitFor(() => expect(said).toContain('trying again …'), { timeoutMs: 40_000 });
    away = false;
    const before = streams;
    await waitFor(() => expect(streams).toBeGreaterThan(before), { timeoutMs: 20_000 });
    stop.abort();
    const ran = await watching;
    expect(ran).toMatchObject({ code: 130, stderr: expect.stringMatching(/trying again …\nnot watching any more/) });
  });

  it('that is refused tells every problem and its place', async () => {
    const { folder, run } = await start();
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ nodes: [{ id: 'a', process: 'none', deps: ['b'] }] }));
    const ran = await run(['graph', 'run', 'wrong.json']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('nodes[0].deps[0]');
    expect(ran.stderr).toContain('(unknown-process)');
  });
});

describe('logs', () => {
  it('are printed whole, from their end, and while they grow', async () => {
    const { api, run } = await start();
    const { mkdir, writeFile, appendFile } = await import('node:fs/promises');
    const { logFileOf } = await import('../../../src/store/layout.js');
    const attempts = [
      { attempt: 1, queue: 'cpu', worker: 'w', pid: 1, startedAt: 'x', endedAt: null, outcome: null, message: null },
    ];
    const record = await api.seed({ status: 'RUNNING', attempts: attempts as never });
    const paths = api.store.paths(record.jobId);
    await mkdir(paths.logs, { recursive: true });
    await writeFile(logFileOf(paths, 1), 'one\ntwo\n');
    expect((await run(['logs', record.jobId])).stdout).toBe('one\ntwo\n');
    expect((await run(['logs', record.jobId, '--tail', '1'])).stdout).toBe('two\n');
    expect(JSON.parse((await run(['logs', record.jobId, '--list'])).stdout).attempts).toHaveLength(1);
    const following = run(['logs', '-f', record.jobId]);
    await appendFile(logFileOf(paths, 1), 'three\n');
    await api.store.writeRecord({ ...record, status: 'FAILURE' });
    expect(await following).toMatchObject({ code: 10, stdout: 'one\ntwo\nthree\n' });
  });
});

describe('doctor', () => {
  it('says what is well, what is not, and what to do', async () => {
    const { api, folder, run } = await start();
    const env = { SHARE_PATH: join(folder, 'share'), API_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const ran = await run(['doctor', '--json'], { env });
    const { findings } = JSON.parse(ran.stdout) as { findings: { check: string; state: string; fix?: string }[] };
    const of = (check: string) => findings.find((one) => one.check === check);
    for (const check of ['node', 'share here', 'ports', 'licence', 'API', 'temporal', 'share', 'token'])
      expect(of(check)?.state, check).toBe('ok');
    expect(of('workers')).toMatchObject({ state: 'warn', fix: expect.stringContaining('pixyz up worker') });
    api.engine.down = true;
    const licence = {
      PIXYZ_PYTHON_PATH: folder,
      LICENSE_FLEXLM: 'true',
      LICENSE_HOST: '127.0.0.1',
      LICENSE_PORT: '1',
    };
    const ill = await run(['doctor', '-t', 'wrong'], { env: { ...env, ...licence } });
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/BAD +temporal .*\n +→ start the Temporal server/);
    expect(ill.stdout).toMatch(/BAD +token .*refused/);
    expect(ill.stdout).toMatch(/BAD +licence +nobody answers at 127\.0\.0\.1:1/);
  });

  it('knows an interpreter that is none, a Pixyz that is not there, and a licence that nobody asks for', async () => {
    const { folder, run } = await start();
    const env = { SHARE_PATH: join(folder, 'share'), API_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const missing = await run(['doctor'], { env: { ...env, PYTHON: '/bin/true', PIXYZ_PYTHON_PATH: '/nowhere' } });
    expect(missing.stdout).toMatch(/BAD +python .*runs no Python/);
    expect(missing.stdout).toMatch(/BAD +pixyz +there is no folder \/nowhere\n +→ correct PIXYZ_PYTHON_PATH/);
    const open = await run(['doctor'], { env: { ...env, LICENSE_FLEXLM: 'true', LICENSE_HOST: 'h' } });
    expect(open.stdout).toMatch(/warn +licence .*although LICENSE_FLEXLM is set\n +→ to use Pixyz/);
    const wrong = await run(['doctor'], { env: { ...env, API_PORT: 'http', TEMPORAL_PORT: '-1' } });
    expect(wrong.stdout).toMatch(/BAD +settings +The configuration has 2 problems.*\n +API_PORT/);
  });

  it('finds the system of this machine at another port than the command was told', async () => {
    const { api, folder, run } = await start();
    const { port } = new URL(api.url);
    const env = { SHARE_PATH: join(folder, 'share'), API_PORT: port, TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const ran = await run(['doctor', '-u', 'http://127.0.0.1:1'], { env });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      new RegExp(`BAD +address +the system of this machine is at ${api.url}\n +→ PIXYZ_URL=${api.url}\n`),
    );
    expect(ran.stdout).not.toContain('taken by another program');
  });

  it('of a system elsewhere looks at that one only', async () => {
    const ran = await pixyz(['doctor', '-u', 'http://nowhere.invalid', '--json']);
    expect(ran.code).toBe(1);
    const { findings } = JSON.parse(ran.stdout) as { findings: { check: string }[] };
    expect(findings.map(({ check }) => check)).toEqual(['node', 'API']);
  });
});

describe('workflow', () => {
  it('files are listed', async () => {
    const { run } = await start();
    expect(JSON.parse((await run(['workflow', 'list'])).stdout)).toEqual({ workflows: [] });
    expect((await run(['workflow', 'run', 'none'])).code).toBe(1);
  });
});
