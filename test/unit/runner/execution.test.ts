import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { Child, Connection } from '../../../src/runner/child.js';
import { Execution } from '../../../src/runner/execution.js';
import { encodeFrame } from '../../../src/runner/frames.js';

/**
 * The child's socket and the host's are two: what was sent first may be read last. What a user is told of the end of a
 * script must not depend on that order, so here it is chosen.
 */

const garbage = Buffer.from('GET / HTTP/1.1\r\n\r\n');
const outcome = encodeFrame({ t: 'outcome', ok: true, result: 'done', resultFileBytes: null, alone: false });

test.each([
  ['before', [garbage, 'gone']],
  ['after', ['gone', garbage]],
] as const)('a disturbed socket is told when it is read %s the end of the process', async (_when, events) => {
  expect(await reasonAfter(events)).toBe('broken-channel');
});

test.each([
  ['before', [outcome, 'gone']],
  ['after', ['gone', outcome]],
] as const)('a result stands when it is read %s the end of the process', async (_when, events) => {
  expect(await reasonAfter(events)).toBe('ok');
});

test.each([
  ['together', [Buffer.concat([outcome, garbage]), 'gone']],
  ['one by one', [outcome, garbage, 'gone']],
  ['and late', ['gone', outcome, garbage]],
] as const)('a result that was told stands, whatever follows it on the socket: %s', async (_how, events) => {
  expect(await reasonAfter(events)).toBe('ok');
});

/** How an attempt ended whose events were read in this order. */
async function reasonAfter(events: readonly (Buffer | 'gone')[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'execution-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pipe = join(folder, 'log');
  execFileSync('mkfifo', [pipe]);
  const output = openSync(pipe, 'r+'); // as the child does: opening to write alone would wait for a reader
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const child = new Child(1, pipe, folder, new Connection(socket as Socket, ignoring));
  const execution = new Execution(
    {
      attemptId: 'a',
      jobId: 'a',
      script: 'script.py',
      entrypoint: 'main',
      paramsText: '{}',
      context: {},
      data: null,
      rootFile: null,
      outputDir: folder,
      computeOnly: false,
      raw: false,
      timeLimitMs: null,
      memoryLimitBytes: null,
      logFile: join(folder, '1.log'),
      resultFile: join(folder, 'result.json'),
    },
    child,
    { signal: new AbortController().signal },
    { maxProcesses: null, maxLogBytes: 1 << 10, graceMs: 0 },
    () => undefined,
    () => true,
    { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  );
  execution.begin();
  for (const event of events) {
    if (event === 'gone') {
      execution.onGone(0, null);
      continue;
    }
    socket.push(event);
    await new Promise(setImmediate); // the stream hands it on in a later turn
  }
  closeSync(output);
  socket.destroy();
  const ended = await execution.done;
  return ended.ok ? 'ok' : ended.reason.kind;
}

const ignoring = { onMessage: () => undefined, onGarbage: () => undefined, onEnd: () => undefined };
