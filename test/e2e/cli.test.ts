import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// The command `pixyz` as users run it: the built program, as a process, against the real system.

const bin = join(projectRoot, 'tools', 'pixyz.mjs');
const model = join(projectRoot, 'samples', 'bolt.step');
let system: SystemUnderTest;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-cli-'));
  writeFileSync(
    join(folder, 'script.py'),
    `import time

def main(pc, params):
    pc.progress_set_total(2)
    pc.progress_next("first")
    print("began", flush=True)
    time.sleep(params.get("sleep", 0))
    pc.progress_next("second")
    open(pc.get_output_dir("out.txt"), "w").write("made")
    print("ends", flush=True)
    if params.get("fail"):
        raise ValueError("boom")
    return {"x": params.get("x")}

def twice(pc, params):
    return params["x"] * 2

def parts(pc, params):
    return [1, 2, 3]
`,
  );
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
});
afterAll(async () => {
  await system?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function started(args: readonly string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const settings = { PATH: process.env['PATH'], HOME: folder, PIXYZ_URL: system.api.url, PIXYZ_TOKEN: testToken };
  return spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...settings, ...env } });
}

function finished(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  child.stdin.end();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

/** An address of the API that tells when a path is asked for: where nothing is printed, the request is the fact to wait for. */
async function untilAskedFor(path: string): Promise<{ readonly url: string; readonly asked: Promise<void> }> {
  const { hostname, port } = new URL(system.api.url);
  let tell: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const server = createServer((client) => {
    const api = connect(Number(port), hostname);
    client.on('data', (bytes) => {
      if (bytes.toString('latin1').includes(path)) tell();
    });
    client.pipe(api).pipe(client);
    for (const socket of [client, api]) socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const pixyz = (...args: string[]) => finished(started(args));
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('jobs', () => {
  it('exec runs a script with its input, and prints the result', async () => {
    const ran = await pixyz('exec', '-s', 'script.py', '-i', model, '-p', '{"x": 3}', '-a', 'mine', '-wr');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const [head = '', details = ''] = ran.stdout.split(/^(?=\{)/m);
    expect(head).toMatch(/-------- New PixyzScheduler Job ---------\n- script file: {2}'script\.py'\n- {2}input file/);
    expect(head).toMatch(/Job \[ \S+ \] started\nJob \[ \S+ \] progress: 100, status: SUCCESS \(second\)\n$/);
    expect(JSON.parse(details)).toMatchObject({ name: 'mine', result: { x: 3 } });
  });

  it('batch mode prints the id alone, and ends with the code of the state', async () => {
    const sent = await pixyz('exec', '-s', 'script.py', '-b');
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    expect(sent.stdout.trimEnd()).toMatch(idPattern);
    const done = await pixyz('exec', '-s', 'script.py', '-bw');
    expect(done.code).toBe(0);
    expect(done.stdout.trimEnd()).toMatch(idPattern);
    const failed = await pixyz('exec', '-s', 'script.py', '-bw', '-p', '{"fail": true}');
    expect(failed.code).toBe(10);
    expect(failed.stdout.trimEnd()).toMatch(idPattern);
    expect(failed.stderr).toContain('ValueError: boom');
  });

  it('a watched job that failed is no success in any mode', async () => {
    expect((await pixyz('exec', '-s', 'script.py', '-w', '-p', '{"fail": true}')).code).toBe(10);
    expect((await pixyz('process', '-n', 'convert_file', '-w')).code).toBe(10);
  });

  it('process runs what is there already', async () => {
    const ran = await pixyz('process', '-n', 'api_test', '-p', '{"a": 1}', '-w');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^start api_test process\n/);
    const answer = await pixyz('process', '-n', 'api_test', '-w', '--json');
    expect(JSON.parse(answer.stdout)).toMatchObject({ result: { output: 'Hello World!' } });
  });

  it('convert, thumbnails and metadata bring back what was made', async () => {
    expect((await pixyz('convert', '-i', model, '-o', 'made/bolt.glb')).code).toBe(0);
    expect(
      readFileSync(join(folder, 'made', 'bolt.glb'))
        .subarray(0, 4)
        .toString(),
    ).toBe('glTF');
    const pictures = await pixyz('thumbnails', '-i', model, '-p', '{"width": 64, "height": 64}', '-o', 'pictures');
    expect(pictures).toMatchObject({ code: 0, stdout: "6 files downloaded to 'pictures'\n" });
    expect(
      readFileSync(join(folder, 'pictures', 'iso.png'))
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    expect((await pixyz('metadata', '-i', model, '-o', 'bolt.json')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'bolt.json'), 'utf8'))).toMatchObject({ part_count: 1 });
    const printed = await pixyz('metadata', '-i', model);
    expect(JSON.parse(printed.stdout)).toMatchObject({ part_count: 1 });
    writeFileSync(join(folder, 'broken.step'), 'no model');
    expect((await pixyz('convert', '-i', 'broken.step', '-o', 'x.glb')).code).toBe(10);
  });

  it('download and download_all fetch outputs', async () => {
    const id = lastLine((await pixyz('exec', '-s', 'script.py', '-bw')).stdout);
    expect((await pixyz('download', '-j', id, '-f', 'out.txt', '-o', '-')).stdout).toBe('made');
    const all = await pixyz('download_all', '-j', id, '-o', 'deep/all.zip');
    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining("downloaded to 'deep/all.zip'") });
    expect(execFileSync('python3', ['-m', 'zipfile', '-l', join(folder, 'deep', 'all.zip')]).toString()).toContain(
      'out.txt',
    );
  });

  it('logs -f shows what is printed while it is, and ends as the job does', async () => {
    const id = lastLine((await pixyz('exec', '-s', 'script.py', '-b', '-p', '{"sleep": 2, "fail": 1}')).stdout);
    await system.api.reached(id, 'RUNNING');
    const child = started(['logs', '-f', id]);
    const ended = finished(child);
    let seen = '';
    child.stdout.on('data', (text: string) => (seen += text));
    await waitFor(() => seen === 'began\n');
    expect((await system.api.details(id)).status).toBe('RUNNING');
    expect(await ended).toMatchObject({ code: 10, stdout: expect.stringMatching(/^began\nends\n/) });
  });

  it('cancel stops a job, and its watcher ends with 11', async () => {
    const id = lastLine((await pixyz('exec', '-s', 'script.py', '-b', '-p', '{"sleep": 60}')).stdout);
    await system.api.reached(id, 'RUNNING');
    const watcher = finished(started(['status', '-w', id]));
    expect((await pixyz('cancel', id)).code).toBe(0);
    expect(await watcher).toMatchObject({ code: 11, stdout: expect.stringContaining('REVOKED') });
  });

  it('Ctrl-C ends the watching and not the job', async () => {
    const id = lastLine((await pixyz('exec', '-s', 'script.py', '-b', '-p', '{"sleep": 3}')).stdout);
    await system.api.reached(id, 'RUNNING');
    const watched = await untilAskedFor(`/jobs/${id}/events`);
    const child = started(['status', '-w', '-j', id], { PIXYZ_URL: watched.url });
    const ended = finished(child);
    await watched.asked;
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: expect.stringContaining(`pixyz status -w ${id}`) });
    expect((await system.api.ended(id)).status).toBe('SUCCESS');
  });

  it('who reads no further is no fault', () => {
    const text = execFileSync('bash', ['-c', `set -o pipefail; "$0" "$1" jobs | head -1`, process.execPath, bin], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, PIXYZ_URL: system.api.url, PIXYZ_TOKEN: testToken },
    });
    expect(text.toString()).toBe('{\n');
  });

  it.runIf(existsSync('/dev/stdout'))('a download to /dev/stdout keeps what stands before and after it', async () => {
    const { stdout: id } = await finished(started(['exec', '-s', 'script.py', '-bw']));
    const file = join(folder, 'said.txt');
    const script =
      '(echo one; "$0" "$1" download "$2" -o /dev/stdout; "$0" "$1" download_all "$2" -o - | head -c 2; echo two) > said.txt';
    const ran = spawnSync('bash', ['-c', script, process.execPath, bin, id.trim()], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, PIXYZ_URL: system.api.url, PIXYZ_TOKEN: testToken },
    });
    expect(ran.status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('one\nmadePKtwo\n');
  });

  it.runIf(existsSync('/dev/full'))('output that cannot be written is no success', () => {
    const script = '"$0" "$1" list > /dev/full; echo $?; "$0" "$1" nonsense 2>&-; echo $?';
    const ran = spawnSync('bash', ['-c', script, process.execPath, bin], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder, PIXYZ_URL: system.api.url, PIXYZ_TOKEN: testToken },
    });
    expect(ran.stdout).toBe('1\n2\n');
    expect(ran.stderr).toMatch(/^pixyz: standard output cannot be written: .*ENOSPC/m);
  });
});

describe('graphs', () => {
  const document = {
    name: 'parts',
    defaults: { script: 'script' },
    nodes: [
      { id: 'parts', entrypoint: 'parts' },
      { id: 'double', entrypoint: 'twice', map: { over: 'nodes.parts.result', max: 10 }, params: { x: '${{ item }}' } },
      { id: 'facts', process: 'generate_metadata', data: 'model' },
      { id: 'all', barrier: true, deps: ['double', 'facts'] },
    ],
  };

  it('run -w draws the graph at its end; its files are found beside it and by -f', async () => {
    writeFileSync(join(folder, 'graph.json'), JSON.stringify(document));
    const ran = await pixyz('graph', 'run', 'graph.json', '-f', `model=${model}`, '-w');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^graph \S+ started, 4 nodes\ngraph \S+ {2}parts {2}succeeded .* 7 of 7 done/);
    expect(ran.stdout).toMatch(/double {2}×3 .*3 succeeded/);
    expect(lastLine(ran.stdout)).toMatch(/all {2}succeeded$/);
  });

  it('watch, cancel and retry; the exit code is that of the graph', async () => {
    const slow = {
      nodes: [
        { id: 'a', process: 'sleep', params: { duration: 60 } },
        { id: 'b', command: ['true'], deps: ['a'] },
      ],
    };
    writeFileSync(join(folder, 'slow.json'), JSON.stringify(slow));
    const id = (await pixyz('graph', 'run', 'slow.json', '-b')).stdout.trim();
    expect(id).toMatch(idPattern);
    const watcher = finished(started(['graph', 'watch', id]));
    await waitFor(async () => expect((await pixyz('graph', 'show', id)).stdout).toMatch(/◐ a {2}running/), {
      timeoutMs: 20_000,
    });
    expect((await pixyz('graph', 'why', id, 'b')).stdout).toContain('node "a" is running');
    expect(await pixyz('graph', 'cancel', id)).toMatchObject({ code: 0, stdout: `graph ${id} revoked\n` });
    expect((await watcher).code).toBe(11);
    const again = await pixyz('graph', 'retry', id, '--json');
    const { id: next } = JSON.parse(again.stdout) as { id: string };
    expect((await pixyz('graph', 'cancel', next)).code).toBe(0);
    expect((await pixyz('graph', 'rm', id, next)).code).toBe(0);
  });

  it('one that fails ends with 10 and tells which node', async () => {
    writeFileSync(
      join(folder, 'fails.json'),
      JSON.stringify({ nodes: [{ id: 'bad', command: ['false'], retries: 0 }] }),
    );
    const ran = await pixyz('graph', 'run', 'fails.json', '-w');
    expect(ran.code).toBe(10);
    expect(ran.stdout).toMatch(/✖ bad {2}failed/);
  });

  it('on a terminal it is drawn live, in colour', async () => {
    writeFileSync(
      join(folder, 'live.json'),
      JSON.stringify({ nodes: [{ id: 'nap', process: 'sleep', params: { duration: 1.5 } }] }),
    );
    const line = `stty cols 120 rows 40; "${process.execPath}" "${bin}" graph run live.json -w`;
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      TERM: 'xterm',
      PIXYZ_URL: system.api.url,
      PIXYZ_TOKEN: testToken,
    };
    const text = execFileSync('script', ['-qec', line, '/dev/null'], { cwd: folder, env, encoding: 'utf8' });
    expect(text).toContain('\u001b[36m◐\u001b[39m nap');
    expect(text).toContain('\u001b[2A');
    expect(text).toContain('\u001b[32m●\u001b[39m nap  \u001b[32msucceeded');
  });
});

describe('the system', () => {
  it('is told by queues, workers and doctor', async () => {
    const { queues } = JSON.parse((await pixyz('queues')).stdout) as { queues: { workers: string[] }[] };
    const { workers } = JSON.parse((await pixyz('workers')).stdout) as {
      workers: { name: string; slots: { limit: number } }[];
    };
    expect(workers).toMatchObject([{ slots: { limit: 2 } }]);
    expect(queues[0]?.workers).toEqual([workers[0]?.name]);
    const env = { API_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', SHARE_PATH: join(folder, 'share') };
    const python = { PYTHON: process.env['PYTHON'] ?? 'python3' };
    const ran = await finished(started(['doctor'], { ...env, ...python }));
    expect(ran, ran.stdout).toMatchObject({ code: 0 });
  });
});
