import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Runner } from '../../../src/contract/runner.js';
import { createScriptRunner } from '../../../src/runner/script-runner.js';
import { resultOf, runnerOptions, taskOf } from './support.js';

/** A worker keeps two kinds of children ready: with the 3D libraries loaded, and without. */

let runner: Runner;
beforeAll(async () => {
  const { pixyz, ...options } = runnerOptions();
  runner = createScriptRunner({ ...options, pixyz: { ...pixyz, disabled: false } });
  await runner.start();
});
afterAll(() => runner.stop());

describe('a script gets the kind of child that its text asks for', () => {
  test('one that does not name pxz runs in a small process', async () => {
    expect(await resultOf(runner, taskOf('tells-loaded-modules'))).toEqual([]);
  });

  test('one that names pxz finds it loaded', async () => {
    expect(await resultOf(runner, taskOf('uses-pxz'))).toEqual(['numpy', 'trimesh']);
  });

  test('one that loads pxz without naming it gets it all the same', async () => {
    expect(await resultOf(runner, taskOf('uses-pxz-unannounced'))).toBe(true);
  });

  test('both kinds are counted', async () => {
    expect(runner.stats().residentBytes).toBeGreaterThan(0);
  });
});
