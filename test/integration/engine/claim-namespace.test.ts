import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { claimNamespace, ForeignShareError } from '../../../src/engine/claim-namespace.js';

let connection: NativeConnection;
beforeAll(async () => {
  connection = await NativeConnection.connect({ address: inject('temporalAddress') });
});
afterAll(() => connection.close());

async function newNamespace(): Promise<string> {
  const namespace = `claim-${randomUUID().slice(0, 8)}`;
  const day = { seconds: 24 * 3600 } as never;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  return namespace;
}

function newShare(): string {
  const share = mkdtempSync(join(tmpdir(), 'claim-'));
  onTestFinished(() => rmSync(share, { recursive: true, force: true }));
  return share;
}

test('a namespace belongs to the share that comes first, and to no other until it is told so', async () => {
  const namespace = await newNamespace();
  const [first, second] = [newShare(), newShare()];
  const warnings: string[] = [];
  const claim = (share: string, take = false) =>
    claimNamespace({ connection, namespace, share, take, warn: (message) => warnings.push(message) });
  await Promise.all([claim(first), claim(first), claim(first)]);
  await claim(first);

  await expect(claim(second)).rejects.toThrow(ForeignShareError);
  await expect(claim(second)).rejects.toThrow(
    new RegExp(
      `"${namespace}" belongs to another share \\(.*:${first}\\) than SHARE_PATH, ${second}.*TAKE_NAMESPACE=true`,
    ),
  );
  await claim(first);
  expect(warnings).toEqual([]);

  await claim(second, true);
  expect(warnings).toEqual([expect.stringContaining('is taken from another share')]);
  await claim(second);
  await expect(claim(first)).rejects.toThrow(ForeignShareError);
});
