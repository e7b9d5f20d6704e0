import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { processesWith } from '../support/leftovers.js';
import { waitFor } from '../support/wait-for.js';

// What `npm install` of the package gives: the files of `npm pack`, and beside them what it depends on and nothing else.

const run = promisify(execFile);
let folder: string;
let bin: string;
let archive: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-package-'));
  const installed = join(folder, 'node_modules', 'pixyz-temporal-scheduler');
  mkdirSync(installed, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: projectRoot,
    maxBuffer: 2 ** 24,
  });
  // Some versions of npm answer a list, others an object by name.
  const [packed] = Object.values(JSON.parse(stdout)) as [{ filename: string }];
  archive = join(folder, packed.filename);
  await run('tar', ['xzf', archive, '-C', installed, '--strip-components', '1']);
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(packages)) {
    const isOnTop = path.lastIndexOf('node_modules/') === 0;
    if (!isOnTop || dev === true || !existsSync(join(projectRoot, path))) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(projectRoot, path), join(folder, path));
  }
  bin = join(installed, 'tools', 'pixyz.mjs');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pixyz(args: readonly string[], env: Record<string, string> = {}) {
  return run(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, HOME: folder, ...env } });
}

describe('the package', () => {
  it('has what runs, and neither sources nor tests', () => {
    const has = (path: string) => existsSync(join(folder, 'node_modules', 'pixyz-temporal-scheduler', path));
    for (const path of ['dist/cli/main.js', 'dist/web/index.html', 'dist/client/index.d.ts', 'tools/temporal/go.mod'])
      expect(has(path), path).toBe(true);
    for (const path of ['src', 'test', 'bench', 'web', 'docs', 'python/tests']) expect(has(path), path).toBe(false);
    expect(statSync(archive).size).toBeLessThan(6 * 2 ** 20);
  });

  it('has the command, without a build', async () => {
    expect((await pixyz(['version'])).stdout).toMatch(/^pixyz-scheduler-client v/);
    expect((await pixyz(['--help'])).stdout).toContain('pixyz convert');
  });

  it('starts the whole system, which keeps its data where it was started, and converts a model', async () => {
    const cache = {
      PIXYZ_CACHE_PATH:
        process.env['PIXYZ_CACHE_PATH'] ?? join(process.env['HOME'] ?? '', '.cache', 'pixyz-temporal-scheduler'),
    };
    const ports = { API_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const up = spawn(process.execPath, [bin, 'up'], {
      cwd: folder,
      env: { ...process.env, ...cache, ...ports },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void up.kill('SIGKILL'));
    let said = '';
    for (const stream of [up.stdout, up.stderr]) stream.on('data', (text: Buffer) => (said += text));
    const ended = new Promise((resolve) => up.once('close', resolve));
    const url = await waitFor(
      () => {
        const [, found] = /^ready: API (\S+)/m.exec(said) ?? [];
        expect(found, said).toBeDefined();
        return found as string;
      },
      { timeoutMs: 60_000 },
    );
    // Its token is found beside it.
    const model = join(folder, 'node_modules', 'pixyz-temporal-scheduler', 'samples', 'bolt.step');
    const env = { PIXYZ_URL: url };
    expect((await pixyz(['convert', '-i', model, '-o', 'bolt.glb'], env)).stdout).toContain('downloaded');
    expect(readFileSync(join(folder, 'bolt.glb')).subarray(0, 4).toString()).toBe('glTF');
    expect((await fetch(`${url}/ui/`)).status).toBe(200);
    expect(existsSync(join(folder, '.data', 'temporal.db'))).toBe(true);
    expect(existsSync(join(folder, 'share'))).toBe(true);
    up.kill('SIGTERM');
    await ended;
    await waitFor(() => expect(processesWith(folder)).toEqual([]));
  }, 120_000);
});
