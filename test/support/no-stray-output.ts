import { afterEach, beforeEach, expect, vi } from 'vitest';

/** A stray console call fails the test that made it: our code logs through its logger, and a test says what it expects. */

const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;
let calls: string[] = [];

beforeEach(() => {
  calls = [];
  for (const method of methods) {
    const original = console[method].bind(console);
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      calls.push(`console.${method}(${args.map(String).join(', ')})`);
      original(...args);
    });
  }
});

afterEach(() => {
  const stray = calls;
  vi.restoreAllMocks();
  expect(stray, 'nothing is written to the console').toEqual([]);
});
