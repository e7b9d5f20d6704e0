import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { readSettings } from '../../src/config/settings.js';
import { ensurePython } from '../../src/setup/python-environment.js';
import { setUpTools } from '../support/set-up-tools.js';
import { type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';

// The command line of the Celery-based scheduler (a stand-in, see there) against this one: each of its commands, with its
// own libraries and so its own bytes on the line.

const program = join(projectRoot, 'test', 'fixtures', 'client', 'client.py');
const model = join(projectRoot, 'samples', 'bolt.step');
let system: SystemUnderTest;
let python: string;
let folder: string;

beforeAll(async () => {
  python = await ensurePython(readSettings(process.env, process.cwd()).PIXYZ_CACHE_PATH, 'dev', setUpTools());
  folder = mkdtempSync(join(tmpdir(), 'pixyz-client-'));
  writeFileSync(
    join(folder, 'script.py'),
    'from pixyz_worker.script import *\n\n\n@pixyz_schedule(queue="gpu", time_limit=7)\ndef main(pc, params):\n' +
      '    pc.progress_set_total(2)\n    pc.progress_next("first")\n    pc.progress_next("second")\n' +
      '    open(pc.get_output_dir("out.txt"), "w").write("made of " + str(pc.get_input_file())[-5:])\n' +
      '    if params.get("fail"):\n        raise ValueError("boom")\n    return params\n\n\ndef other(pc, params):\n    return "other"\n',
  );
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
}, 300_000);
afterAll(async () => {
  await system?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function client(args: readonly string[], of = program): Promise<Ran> {
  const child = spawn(python, [of, '-u', system.api.url, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PYTHONUTF8: '1' },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

const withToken = (...args: string[]) => client([...args, '-t', testToken]);
const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const idIn = (text: string) => id.exec(text)?.[0] ?? '';
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';
const json = (text: string) => JSON.parse(text.slice(text.search(/^\{/m)));

describe('the other client', () => {
  let job: string;

  it('version, list, and no command', async () => {
    expect((await client(['version'])).stdout).toBe('pixyz-scheduler-client v0.0.8\n');
    expect(json((await client(['list'])).stdout).processes).toContain('convert_file');
    expect(await client([])).toMatchObject({ code: 0, stdout: 'no valid command\n' });
  });

  it('exec sends a job with an input, an alias and a result, and watches it', async () => {
    const ran = await withToken('exec', '-s', 'script.py', '-i', model, '-p', '{"x": 1}', '-a', 'mine', '-wr');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain("- script file:  'script.py'");
    expect(ran.stdout).toMatch(/Uploading: \[█{30}\] 100\.0%/);
    job = /Job \[ (\S+) \] started/.exec(ran.stdout)?.[1] ?? '';
    expect(ran.stdout).toContain(`\r\u001b[KJob [ ${job} ] progress: 100, status: SUCCESS (first) [`);
    // The decorator's queue wins, since the client sends null; its time limit does not.
    expect(json(ran.stdout.split('] started\n').at(-1) ?? '')).toMatchObject({
      uuid: job,
      name: 'mine',
      result: { x: 1 },
      queue: 'gpu',
    });
  });

  it('exec -e calls another function, -q names the queue', async () => {
    const ran = await withToken('exec', '-s', 'script.py', '-e', 'other', '-q', 'cpu', '-l', '60', '-rw');
    expect(json(ran.stdout.split('] started\n').at(-1) ?? '')).toMatchObject({ result: 'other', queue: 'cpu' });
  });

  it('exec -b prints the id last, and with -w ends with the code of the state', async () => {
    const sent = await withToken('exec', '-s', 'script.py', '-b');
    expect(sent.code).toBe(0);
    expect(lastLine(sent.stdout)).toMatch(new RegExp(`^${id.source}$`));
    expect((await withToken('exec', '-s', 'script.py', '-bw')).code).toBe(0);
    const failed = await withToken('exec', '-s', 'script.py', '-bw', '-p', '{"fail": 1}');
    expect(failed.code).toBe(10);
    expect(failed.stdout).toMatch(/Error: Traceback[^]*ValueError: boom/);
  });

  it('process runs what is there already', async () => {
    const sent = await withToken('process', '-n', 'api_test', '-p', '{"a": 1}');
    expect(lastLine(sent.stdout)).toBe(`Job [ ${idIn(sent.stdout)} ] submitted`);
    const watched = await withToken('process', '-n', 'convert_file', '-i', model, '-p', '{"extension": "glb"}', '-w');
    expect(watched.code).toBe(0);
    expect(json(watched.stdout.split('] completed\n').at(-1) ?? '')).toMatchObject({
      result: { output: 'output.glb' },
    });
  });

  it('jobs, status, details and outputs print JSON', async () => {
    expect(json((await withToken('jobs')).stdout).jobs.map(({ uuid }: { uuid: string }) => uuid)).toContain(job);
    expect(json((await withToken('status', '-j', job, '-w')).stdout)).toMatchObject({ status: 'SUCCESS' });
    expect(json((await withToken('details', '-j', job)).stdout)).toMatchObject({ uuid: job, progress: 100 });
    expect(json((await withToken('outputs', '-j', job)).stdout)).toEqual({ outputs: ['out.txt'] });
  });

  it('download and download_all fetch files', async () => {
    const one = await withToken('download', '-j', job, '-f', 'out.txt', '-o', 'fetched.txt');
    expect(lastLine(one.stdout)).toBe(`Job [ ${job} ] output 'out.txt' downloaded to 'fetched.txt' (13.0B)`);
    expect(readFileSync(join(folder, 'fetched.txt'), 'utf8')).toBe('made of .step');
    const all = await withToken('download_all', '-j', job, '-o', 'deep/all.zip');
    expect(all.stdout).toMatch(/^Requesting job output file download\.{3,} ready\.\n/);
    expect(
      readFileSync(join(folder, 'deep', 'all.zip'))
        .subarray(0, 2)
        .toString(),
    ).toBe('PK');
  });

  it('a wrong token, a wrong id and a missing file are errors as they were', async () => {
    const refused = await client(['jobs', '-t', 'wrong']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('401');
    expect((await withToken('download', '-j', job, '-f', 'none', '-o', 'x')).stderr).toContain('404');
    expect((await withToken('exec', '-s', 'missing.py')).code).toBe(2);
  });

  // They never got further there: without their folder they stop before any request, with it they forget the token.
  it.each([
    ['convert', 'convert_file'],
    ['thumbnails', 'generate_thumbnails'],
    ['metadata', 'generate_metadata'],
  ])('%s sends its job, and fails where it failed', async (command, process) => {
    const shipped = await withToken(command, '-i', model, '-o', 'x');
    expect(shipped.code).toBe(1);
    expect(shipped.stderr).toContain('FileNotFoundError');
    const beside = join(folder, 'beside', 'client.py');
    const scripts = join(dirname(beside), 'scripts', 'process');
    if (!existsSync(scripts)) {
      mkdirSync(scripts, { recursive: true });
      cpSync(join(projectRoot, 'processes'), scripts, { recursive: true });
      cpSync(program, beside);
    }
    const doc = await client(['doc', '-n', process], beside);
    expect(doc.stdout).toContain('def main');
    const ran = await client([command, '-i', model, '-o', 'x', '-t', testToken], beside);
    expect(ran.stdout).toContain('status: SUCCESS');
    expect(ran.stderr).toContain('401');
  });
});
