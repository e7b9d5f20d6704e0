import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { processesWith } from '../support/leftovers.js';

test('npm run demo turns a CAD assembly into files, says where they are, and leaves nothing running', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-demo-'));
  const child = spawn(process.execPath, [join(projectRoot, 'tools', 'run.mjs'), 'demo'], {
    cwd: folder,
    env: { ...process.env, TEMPORAL_DB_FILE: join(folder, 'temporal.db') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(output).toMatch(/3 jobs and a graph done/);
  expect(code).toBe(0);
  for (const name of ['output.glb', 'metadata.json', 'iso.png', 'preview.glb', 'bolt.tgz']) {
    expect(output).toMatch(new RegExp(`\\d (B|kB|MB)  demo/share/[0-9a-f-]{36}/outputs/${name.replace('.', '\\.')}`));
  }
  expect(output).toMatch(/a bolt, step by step: succeeded/);
  expect(output.match(/trace {6}http.*\/namespaces\/pixyz\//g)).toHaveLength(4);
  expect(output).toMatch(/trace {6}http.*\/workflows\/[0-9a-f-]{28}0{8}/);
  expect(processesWith(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});
