import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { readSettings } from '../../../src/config/settings.js';

const folder = join(projectRoot, 'deploy', 'systemd');
const units = readdirSync(folder).sort();
const read = (unit: string) => readFileSync(join(folder, unit), 'utf8');

function values(unit: string, key: string): string[] {
  return [...read(unit).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value as string);
}

function environment(unit: string): Record<string, string> {
  return Object.fromEntries(values(unit, 'Environment').map((entry) => entry.split('=') as [string, string]));
}

async function has(program: string): Promise<boolean> {
  return promisify(execFile)(program, ['--version']).then(
    () => true,
    () => false,
  );
}

describe('the systemd units', () => {
  it('call files of this project that are there', () => {
    expect(units).toEqual(['pixyz-api.service', 'pixyz-temporal.service', 'pixyz-worker@.service']);
    for (const unit of units) {
      const commands = [
        ...values(unit, 'ExecStart'),
        ...values(unit, 'ExecStartPre'),
        ...Object.values(environment(unit)),
      ];
      const files = commands.join(' ').matchAll(/\/opt\/pixyz-scheduler\/(\S+)|(?<= )(dist\/\S+)/g);
      for (const [, inside, relative] of files) {
        const source = (inside ?? relative ?? '').replace(/^dist\/(.*)\.js$/, 'src/$1.ts');
        expect(existsSync(join(projectRoot, source)), `${source} of ${unit}`).toBe(true);
      }
    }
  });

  it('give settings that the program understands, and a worker more time to stop than it takes', () => {
    for (const unit of units.filter((name) => name !== 'pixyz-temporal.service')) {
      expect(() => readSettings(environment(unit), '/')).not.toThrow();
    }
    const worker = 'pixyz-worker@.service';
    const { DRAIN_SECONDS } = readSettings(environment(worker), '/');
    expect(Number(values(worker, 'TimeoutStopSec')[0])).toBeGreaterThan(DRAIN_SECONDS + 30);
    expect(values(worker, 'KillMode')).toEqual(['mixed']);
  });

  it('pass the check of systemd itself', async (context) => {
    if (!(await has('systemd-analyze'))) return context.skip('there is no systemd-analyze here');
    // It looks for the programs too, so they are where the units say, below a root of their own.
    const root = mkdtempSync(join(tmpdir(), 'pixyz-units-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const place = join(root, 'etc', 'systemd', 'system');
    mkdirSync(place, { recursive: true });
    cpSync(folder, place, { recursive: true });
    // What the units build on, and what the check wants of a machine.
    for (const target of ['multi-user', 'network-online', 'remote-fs', 'sysinit', 'basic', 'shutdown']) {
      writeFileSync(join(place, `${target}.target`), '[Unit]\nDefaultDependencies=no\n');
    }
    for (const program of [
      'usr/bin/node',
      'opt/pixyz-temporal/temporal-server',
      'opt/pixyz-scheduler/deploy/temporal/set-up-schema.sh',
    ]) {
      mkdirSync(join(root, dirname(program)), { recursive: true });
      writeFileSync(join(root, program), '');
      chmodSync(join(root, program), 0o755);
    }
    const names = units.map((unit) => unit.replace('@.', '@gpu.'));
    const verified = await promisify(execFile)('systemd-analyze', [
      'verify',
      '--man=no',
      `--root=${root}`,
      ...names,
    ]).catch((error: unknown) => error as { stderr: string });
    expect(verified.stderr).toBe('');
  });
});
