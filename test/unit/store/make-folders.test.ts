import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolders } from '../../../src/store/make-folders.js';

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'make-folders-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('makes what is missing, and leaves what is there', () => {
  const deep = join(scratch(), 'a', 'b', 'c');
  makeFolders(deep);
  makeFolders(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
});

test('a file in the way is an error, and so is a place where no folder can be made', () => {
  const file = join(scratch(), 'file');
  writeFileSync(file, '');
  expect(() => makeFolders(file)).toThrow(/EEXIST/);
  expect(() => makeFolders(join(file, 'below'))).toThrow(/ENOTDIR|EEXIST/);
  if (process.platform === 'linux') expect(() => makeFolders('/proc/pixyz/share')).toThrow(/ENOENT/);
});
