import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withExtension } from '../../../src/cli/commands/models.js';
import { shells } from '../../../src/cli/completion.js';
import { chooseConnection } from '../../../src/cli/connection.js';
import { exitCodeOfGraph, exitCodeOfJob, exitCodeOfJobs } from '../../../src/cli/exit-codes.js';
import { readGraph } from '../../../src/cli/graph-files.js';
import { durationText, fit, harmless, sizeText, table, wantsColour, widthOf } from '../../../src/cli/output.js';
import { configOf } from '../../../src/cli/submit-job.js';
import { liveHead } from '../../../src/cli/watch-graph.js';
import { liveLine } from '../../../src/cli/watch-jobs.js';
import type { GraphState, JobDetails } from '../../../src/client/index.js';
import { pixyz } from '../../support/shell.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('exit codes', () => {
  it('of watched jobs are those of the batch mode', () => {
    const expected = {
      SUCCESS: 0,
      FAILURE: 10,
      REVOKED: 11,
      RETRY: 12,
      PENDING: 13,
      STARTED: 14,
      RECEIVED: 15,
      REJECTED: 16,
    };
    for (const [status, code] of Object.entries(expected)) expect(exitCodeOfJob(status)).toBe(code);
    expect(exitCodeOfJob('UNKNOWN')).toBe(17);
    expect(exitCodeOfJobs(['SUCCESS', 'REVOKED', 'FAILURE'])).toBe(11);
    expect(exitCodeOfJobs([])).toBe(0);
  });

  it('of graphs say the same', () => {
    expect(['succeeded', 'failed', 'revoked'].map(exitCodeOfGraph)).toEqual([0, 10, 11]);
  });

  it('a wrong command line is 2, and says what is wrong', async () => {
    const script = join(folder, 'script.py');
    writeFileSync(script, '');
    for (const [args, words] of [
      [['exec', '-t', 'x'], '--script'],
      [['exec', '-s', 'missing.py', '-t', 'x'], 'missing.py'],
      [['exec', '-s', script, '-l', 'soon'], 'whole number'],
      [['status'], '-j'],
      [['stauts'], 'status'],
      [['-u', 'nonsense', 'list'], 'nonsense'],
      [['graph', 'run', 'missing.json'], 'missing.json'],
      [['completion', 'tcsh'], 'bash'],
    ] as const) {
      const ran = await pixyz(args, { cwd: folder });
      expect(ran.code, args.join(' ')).toBe(2);
      expect(ran.stderr).toContain(words);
      expect(ran.stdout).toBe('');
      // A program gets the same as a document.
      const { error } = JSON.parse((await pixyz([...args, '--json'], { cwd: folder })).stdout);
      expect(error).toMatchObject({ code: 'USAGE', retryable: false });
      expect(error.message).not.toBe('');
    }
  });

  it('parameters that are no JSON are 1, as they were', async () => {
    const ran = await pixyz(['process', '-n', 'sleep', '-p', '{', '--json'], { cwd: folder });
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stderr).toContain('-p is no JSON');
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { status: null, code: 'FAILED' } });
  });

  it('no command, and help, are 0', async () => {
    for (const args of [[], ['--help'], ['graph', 'run', '--help']]) expect((await pixyz(args)).code).toBe(0);
    expect((await pixyz([])).stdout).toContain('Examples:');
  });

  it('an API that is not there is 1, with a hint', async () => {
    for (const command of [['jobs'], ['status', '-w', 'id'], ['logs', '-f', 'id'], ['graph', 'watch', 'id']]) {
      const ran = await pixyz(['-u', 'http://127.0.0.1:1', ...command, '-t', 'x']);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/nobody listens.*pixyz up/);
    }
    const ran = await pixyz(['-u', 'http://127.0.0.1:1', 'jobs', '-t', 'x', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'UNREACHABLE', retryable: true } });
    const lost = await pixyz(['-u', 'http://nowhere.invalid', 'jobs', '-t', 'x']);
    expect(lost.stderr).not.toContain('pixyz up');
  });

  it('a token or a file of settings that cannot be used is told in a sentence', async () => {
    const token = await pixyz(['jobs', '-t', 'two\nlines']);
    expect(token).toMatchObject({ code: 1, stderr: expect.stringMatching(/^pixyz: the token has a line break.*\n$/) });
    const config = await pixyz(['jobs'], { env: { PIXYZ_CONFIG: folder } });
    expect(config).toMatchObject({ code: 1, stderr: expect.stringMatching(/^pixyz: the file of settings .*\n$/) });
  });

  it('the version is told by a flag, too', async () => {
    expect(await pixyz(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('url and token', () => {
  it('come from flags, then the environment, then the file', () => {
    const file = join(folder, 'pixyz.conf');
    writeFileSync(file, 'PIXYZ_URL=https://file.example\nPIXYZ_TOKEN="of file"\n');
    const env = { PIXYZ_CONFIG: file };
    expect(chooseConnection({}, env, '/')).toMatchObject({
      url: 'https://file.example',
      token: 'of file',
      configFile: file,
    });
    const more = { ...env, PIXYZ_URL: 'http://env.example/', PIXYZ_TOKEN: 'of env' };
    expect(chooseConnection({}, more, '/')).toMatchObject({ url: 'http://env.example', token: 'of env' });
    expect(chooseConnection({ url: 'http://flag:1', token: 'of flag' }, more, '/')).toMatchObject({
      url: 'http://flag:1',
      token: 'of flag',
    });
  });

  it('the token of a local system is found, and never sent elsewhere', () => {
    mkdirSync(join(folder, '.data'), { recursive: true });
    writeFileSync(join(folder, '.data', 'api-token'), 'local\n');
    const env = { HOME: '/nowhere' };
    expect(chooseConnection({}, env, folder)).toMatchObject({ url: 'http://127.0.0.1:8001', token: 'local' });
    expect(chooseConnection({ url: 'http://localhost:9' }, env, folder).token).toBe('local');
    expect(chooseConnection({ url: 'http://127.0.0.1.evil.example' }, env, folder).token).toBe(null);
  });
});

describe('what is shown', () => {
  it('colour is for terminals, and NO_COLOR turns it off', () => {
    const screen = (isTTY: boolean) => ({ isTTY, columns: 80, rows: 24, write: () => undefined });
    expect(wantsColour(screen(true), {})).toBe(true);
    expect(wantsColour(screen(true), { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour(screen(true), { NO_COLOR: '' })).toBe(true);
    expect(wantsColour(screen(false), {})).toBe(false);
    expect(wantsColour(screen(false), { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColour(screen(true), { TERM: 'dumb' })).toBe(false);
  });

  it('sizes and times are short', () => {
    expect([22, 3984589, 1024].map(sizeText)).toEqual(['22.0B', '3.8MiB', '1.0KiB']);
    expect([1.24, 12.4, 75, 7300].map(durationText)).toEqual(['1.2 s', '12 s', '1 min 15 s', '2 h 1 min']);
  });

  it('tables are as wide as they must be, and lines never wider than the screen', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['long one', 'x'],
          ['\u001b[31mred\u001b[39m', 'y'],
        ],
      ),
    ).toBe('A         B\nlong one  x\n\u001b[31mred\u001b[39m       y');
    expect(fit('\u001b[31mabcdef\u001b[39m', 4)).toBe('\u001b[31mabc\u001b[39m…');
    expect(fit('abcd', 4)).toBe('abcd');
  });

  it('wide characters count as two columns, and marks upon them as none', () => {
    expect(widthOf('日本語')).toBe(6);
    expect(widthOf('e\u0301 🚀')).toBe(4);
    expect(fit('日本語日本語', 8)).toBe('日本語…');
    expect(table(['名前', 'B'], [['x', 'y']])).toBe('名前  B\nx     y');
  });

  it('names of others are text on a terminal, whatever control characters they have', () => {
    const evil = 'a\u001b[2J\u001b]0;title\u0007\u009b1A\u202eb\nnew\tline';
    expect(harmless(evil)).toBe('a␛[2J␛]0;title␇\ufffd1A\ufffdb␊new␉line');
    expect(harmless('one\ntwo\t\u001b[31mred\u001b[39m', '\n\t')).toBe('one\ntwo\t\u001b[31mred\u001b[39m');
    expect(table(['NAME'], [['a\nb\u001b[2J']])).toBe('NAME\na␊b␛[2J');
  });

  it('a live line shows state, time and step on a terminal of 80 columns and of 40', () => {
    const details = {
      uuid: '68a8ca31-49f9-4897-93e9-a7f800000001',
      status: 'RUNNING',
      progress: 25,
      steps: [{ duration: -1, info: 'decimating' }],
      waiting: null,
    } as unknown as JobDetails;
    expect(liveLine(details, '3.1 s', 120)).toMatch(
      /^Job \[ 68a8ca31-.*025, status: RUNNING \(decimating\) ███░+ 3\.1 s$/,
    );
    expect(liveLine(details, '3.1 s', 79)).toBe('68a8ca31 ███░░░░░░░ RUNNING 3.1 s decimating');
    const graph = {
      id: '51636054-4680-49ba-82b8-c93800000000',
      name: 'pump',
      state: 'running',
      counts: { total: 4, succeeded: 1, failed: 0, revoked: 0, skipped: 0, running: 1, queued: 0, waiting: 2 },
      time_info: { request: null, started: null, stopped: null },
    } as unknown as GraphState;
    const plain = (_colour: string, text: string) => text;
    expect(liveHead(graph, plain, 120)).toContain(graph.id);
    expect(liveHead(graph, plain, 79)).toMatch(/^graph 51636054 {2}pump {2}running .*1 of 4 done, 1 running/);
    expect(fit(liveLine(details, '3.1 s', 39), 39)).toBe('68a8ca31 ███░░░░░░░ RUNNING 3.1 s deci…');
  });
});

describe('what is sent', () => {
  it('the config has only what was given', () => {
    expect(configOf({})).toEqual({});
    expect(configOf({ config: '{"retries": 0, "queue": "cpu"}', queue: 'gpu' })).toEqual({ retries: 0, queue: 'gpu' });
    expect(() => configOf({ config: '[]' })).toThrow('no JSON object');
    expect(configOf({ entrypoint: 'go', queue: 'gpu', limit: 0 })).toEqual({
      entrypoint: 'go',
      queue: 'gpu',
      time_limit: 0,
    });
  });

  it('the ending of -o says the format, unless the parameters do', () => {
    expect(withExtension({}, 'a/b.glb')).toEqual({ extension: 'glb' });
    expect(withExtension({ extension: 'obj' }, 'b.glb')).toEqual({ extension: 'obj' });
    expect(withExtension({}, undefined)).toEqual({});
    expect(withExtension([1], 'b.glb')).toEqual([1]);
  });

  it('files beside a graph are found under the names of its nodes; those that are given win', () => {
    const graphs = join(folder, 'graphs');
    mkdirSync(graphs);
    for (const name of ['steps.py', 'model.step', 'other.step']) writeFileSync(join(graphs, name), '');
    const document = {
      defaults: { script: 'steps' },
      nodes: [
        { id: 'a', data: 'model.step' },
        { id: 'b', script: 'missing', data: { node: 'a', output: 'x' } },
      ],
    };
    writeFileSync(join(graphs, 'graph.json'), JSON.stringify(document));
    const path = join('graphs', 'graph.json');
    expect(readGraph(path, [], folder).files).toEqual({
      steps: join(graphs, 'steps.py'),
      'model.step': join(graphs, 'model.step'),
    });
    expect(readGraph(path, ['model.step=graphs/other.step'], folder).files['model.step']).toBe(
      join(graphs, 'other.step'),
    );
    expect(() => readGraph(path, ['model.step'], folder)).toThrow('name=path');
  });

  it('up hands over to npm start', async () => {
    const ran = await pixyz(['up', 'worker']);
    expect(ran.code).toBe(7);
    expect(ran.stdout).toMatch(/run\.mjs start worker\n$/);
  });
});

describe('completion', () => {
  it.each(shells)('for %s knows every command', async (shell) => {
    const { stdout, code } = await pixyz(['completion', shell]);
    expect(code).toBe(0);
    for (const word of ['download_all', 'doctor', 'validate', 'entrypoint']) expect(stdout).toContain(word);
  });

  it('completes in bash', async () => {
    const { stdout } = await pixyz(['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${stdout}\nCOMP_WORDS=(pixyz ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _pixyz; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8', cwd: folder },
      ).trim();
    expect(complete('doc')).toBe('doc doctor');
    expect(complete('-u', 'http://x', 'graph', 'v')).toBe('validate');
    expect(complete('graph', 'run', '--wa')).toBe('--watch');
    expect(complete('exec', '--scr')).toBe('--script');
    expect(complete('exec', '-b', '--scr')).toBe('--script');
    // Values are not ours to guess: the shell offers file names.
    expect(complete('exec', '-i', '')).toBe('');
    expect(stdout).toContain('complete -o default');
  });
});
