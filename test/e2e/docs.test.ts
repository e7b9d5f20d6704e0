import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';
import { type Block, blocksOf, page, pages, tableBelow } from '../unit/docs/pages.js';

/**
 * What the pages show is what happens: their examples run here, as a reader would type them, in a folder that looks like
 * the project, against the running system. How examples are marked stands in `test/unit/docs/pages.ts`.
 */

/** As the pages write it; the tests have a port of their own. */
const shownHost = '127.0.0.1:8001';
const pageTimeoutMs = 300_000;
/** The environment of the scripts, which the pages call `env`. */
const environment = dirname(dirname(resolve(process.env['PYTHON'] ?? 'env/bin/python')));

let system: SystemUnderTest;
let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'pixyz-docs-'));
  cpSync(join(projectRoot, 'processes'), join(root, 'processes'), { recursive: true });
  mkdirSync(join(root, '.data'));
  mkdirSync(join(root, 'workflows'));
  writeFileSync(join(root, '.data', 'api-token'), `${testToken}\n`);
  system = await startSystemUnderTest({
    env: {
      PROCESS_PATH: join(root, 'processes'),
      SHARE_PATH: join(root, 'share'),
      WORKFLOWS_PATH: join(root, 'workflows'),
    },
    worker: { CONCURRENT_TASKS: '2' },
  });
});
afterAll(async () => {
  await system?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** A folder that looks like the project to whoever types commands in it. */
function workspace(name: string): string {
  const folder = join(root, name.replaceAll('/', '-'));
  mkdirSync(folder);
  for (const shared of ['processes', '.data', 'share', 'workflows'])
    symlinkSync(join(root, shared), join(folder, shared));
  for (const own of ['samples', 'scripts', 'python']) symlinkSync(join(projectRoot, own), join(folder, own));
  symlinkSync(environment, join(folder, 'env'));
  // As `npm link` and `npm install` would make them.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(projectRoot, join(folder, 'node_modules', 'pixyz-temporal-scheduler'));
  mkdirSync(join(folder, '.bin'));
  symlinkSync(join(projectRoot, 'tools', 'pixyz.mjs'), join(folder, '.bin', 'pixyz'));
  // In the project itself npx finds the command of the package.
  symlinkSync(join(folder, '.bin'), join(folder, 'node_modules', '.bin'));
  return folder;
}

/** Runs commands with bash; variables and functions of one example are there in the next. */
async function run(commands: string, folder: string): Promise<string> {
  const state = join(folder, '.shell-state');
  const script = [
    'set -euo pipefail -o allexport',
    `[ ! -f ${state} ] || . ${state}`,
    commands.replaceAll(shownHost, new URL(system.api.url).host),
    `{ declare -px; declare -f; } > ${state}`,
  ].join('\n');
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    // The address is the default of the command for readers; here it is another one.
    env: { PATH: `${join(folder, '.bin')}:${process.env['PATH']}`, HOME: folder, PIXYZ_URL: system.api.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stdout, stderr } = await ended(child);
  if (code !== 0) throw new Error(`ended with ${code}:\n${stdout}\n${stderr}`);
  // Headers of HTTP end with a carriage return.
  return stdout.replaceAll(new URL(system.api.url).host, shownHost).replaceAll('\r\n', '\n');
}

function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  }
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ code, ...text }));
  });
}

/** Whether the pieces between the `…` stand in the text in this order, the first at its beginning, the last at its end. */
function firstMissing(actual: string, expected: string): string | null {
  const pieces = expected.split('…');
  const last = pieces.pop() ?? '';
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    const found = index === 0 ? (actual.startsWith(piece) ? 0 : -1) : actual.indexOf(piece, at);
    if (found < 0) return piece;
    at = found + piece.length;
  }
  const fits = pieces.length === 0 ? actual === last : actual.slice(at).endsWith(last);
  return fits ? null : last;
}

async function follow(block: Block, before: string | null, folder: string): Promise<string | null> {
  const [, file] = /^file=(.+)$/.exec(block.words[0] ?? '') ?? [];
  if (file !== undefined) {
    writeFileSync(join(folder, file), block.text);
  } else if (block.words.includes('test')) {
    return run(block.text, folder);
  } else if (block.words.includes('output')) {
    const expected = block.text.trimEnd();
    const actual = (before ?? '').trimEnd();
    const missing = firstMissing(actual, expected);
    if (missing !== null) throw new Error(`printed\n${actual}\n\nwhich lacks\n${missing}\n\nof\n${expected}`);
  }
  return before;
}

const withExamples = pages().filter((one) => blocksOf(one).some((block) => block.words.length > 0));

describe.each(withExamples.map((one) => [one.path, one] as const))('%s', (path, one) => {
  it(
    'its examples run and print what it says',
    async () => {
      const folder = workspace(path);
      let printed: string | null = null;
      for (const block of blocksOf(one)) {
        try {
          printed = await follow(block, printed, folder);
        } catch (error) {
          throw new Error(`the example in line ${block.line} ${(error as Error).message}`, { cause: error });
        }
      }
    },
    pageTimeoutMs,
  );
});

describe('the metrics of docs/rest.md', () => {
  it('are those that the API publishes', async () => {
    await system.api.run({ process: 'api_test' });
    const text = await (await fetch(`${system.api.url}/metrics`)).text();
    const published = [...text.matchAll(/^# TYPE ((?:pixyz|http)_\w+)/gm)].map(([, name]) => name);
    const described = tableBelow(page('docs/rest.md'), 'Metrics')
      .map(([name = '']) => name)
      .flatMap((cell) => [...cell.matchAll(/`(\w+)(?:\{[^}]*\})?`/g)].map(([, name]) => name));
    expect(new Set(described)).toEqual(new Set(published));
    expect(new Set(described).size).toBe(described.length);
  });
});

describe('the tutorial scripts', () => {
  const expected = {
    '00_sleep': { file: undefined, steps: [], result: null, outputs: [] },
    '00_progress': { file: undefined, steps: ['Do something 1', 'Do something 2'], result: 1, outputs: [] },
    '00_convert_a_file': {
      file: 'pump-unit.step',
      steps: ['Importing file pump-unit.step', 'Exporting file to output.pxz', 'done'],
      result: { output: 'output.pxz' },
      outputs: ['output.pxz'],
    },
    '01_workflow_engine': {
      file: 'bolt.step',
      steps: [
        'Importing file',
        'Repairing CAD',
        'Repairing Mesh',
        'tessellateRelativelyToAABB',
        'Creating viewer',
        'Creating GPUScene',
        'Screenshotting',
        'Combine Material',
        'DecimateTarget',
        'Exporting model preview to output.glb',
        'Generating metadata',
      ],
      result: { preview: { file: 'output.glb', size: '512x512' }, metadata: { part_count: 1 } },
      outputs: ['iso.png', 'output.glb', 'x.png', 'y.png', 'z.png'],
    },
  } as const;
  const all = Object.entries(expected);

  it('are these', () => {
    // Those that start others have tests of their own: canvas-tutorials.
    const there = readdirSync(join(projectRoot, 'scripts')).filter((name) => /^0[01]_.*\.py$/.test(name));
    expect(there.sort()).toEqual(all.map(([name]) => `${name}.py`).sort());
  });

  it.each(all)('%s runs as a job', async (name, { file, steps, result, outputs }) => {
    const jobId = await system.api.submit({
      script: await readScript(name),
      ...(file === undefined ? {} : { file: join(projectRoot, 'samples', file) }),
    });
    const details = await system.api.ended(jobId, 150_000);
    expect(details.error).toBe(null);
    expect(details.status).toBe('SUCCESS');
    expect(details.steps?.map((step) => step.info)).toEqual(steps);
    if (typeof result === 'object' && result !== null) expect(details.result).toMatchObject(result);
    else expect(details.result).toEqual(result);
    const list = (await (await system.api.get(`/jobs/${jobId}/outputs`)).json()) as { outputs: string[] };
    expect(list.outputs.sort()).toEqual(outputs);
  });

  it.each(all)('%s runs locally, in one process', async (name, { file, outputs }) => {
    const folder = workspace(`local-${name}`);
    const own = new Set(readdirSync(folder));
    const input = file === undefined ? '' : ` samples/${file}`;
    await run(`PYTHONPATH=python env/bin/python scripts/${name}.py${input}`, folder);
    const made = readdirSync(folder).filter((entry) => !own.has(entry) && entry !== '.shell-state');
    expect(made.sort()).toEqual(outputs);
  });
});

async function readScript(name: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(join(projectRoot, 'scripts', `${name}.py`), 'utf8');
}
