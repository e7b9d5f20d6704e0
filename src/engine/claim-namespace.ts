import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { NativeConnection } from '@temporalio/worker';
import { createFileAtomic, readTextIfExists } from '../store/atomic.js';

/**
 * A Temporal namespace belongs to one share. Processes with another share would take its tasks, find none of its jobs, and
 * nobody would be told: so the namespace keeps the name of its share, and whoever comes with another one is refused.
 */

/** The namespace belongs to another share: a sentence for the operator. */
export class ForeignShareError extends Error {
  override readonly name = 'ForeignShareError';
}

const idKey = 'pixyz-share';
const placeKey = 'pixyz-share-place';
const permissionDenied = 7; // gRPC

export interface ClaimOptions {
  readonly connection: Pick<NativeConnection, 'workflowService'>;
  readonly namespace: string;
  /** Root of the share; it is there and can be written. */
  readonly share: string;
  /** Whether to take the namespace from another share. */
  readonly take: boolean;
  readonly warn: (message: string) => void;
}

/** @throws ForeignShareError */
export async function claimNamespace({ connection, namespace, share, take, warn }: ClaimOptions): Promise<void> {
  const id = await shareId(share);
  const { workflowService } = connection;
  const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
  const owner = namespaceInfo?.data?.[idKey];
  if (owner === id) return;
  if (owner !== undefined && !take) {
    throw new ForeignShareError(
      `the Temporal namespace "${namespace}" belongs to another share (${namespaceInfo?.data?.[placeKey] ?? owner}) than ` +
        `SHARE_PATH, ${share}. With two shares, processes would take each other's jobs and not find them: use that share, ` +
        'or another TEMPORAL_NAMESPACE (or TEMPORAL_DB_FILE); or, where that share is gone for good, start once with ' +
        'TAKE_NAMESPACE=true',
    );
  }
  if (owner !== undefined) warn(`the Temporal namespace "${namespace}" is taken from another share (TAKE_NAMESPACE)`);
  try {
    await workflowService.updateNamespace({
      namespace,
      updateInfo: { data: { [idKey]: id, [placeKey]: `${hostname()}:${share}` } },
    });
  } catch (error) {
    // Somebody else looks after the namespace, and lets nobody write to it: then it is as before.
    if ((error as { code?: number }).code !== permissionDenied) throw error;
    warn(`the Temporal namespace "${namespace}" cannot be marked as belonging to this share: permission denied`);
  }
}

/** A name that the share keeps wherever it is mounted. */
async function shareId(share: string): Promise<string> {
  const file = join(share, '.share-id');
  const known = (await readTextIfExists(file))?.trim();
  if (known !== undefined && known !== '') return known;
  await createFileAtomic(file, `${randomUUID()}\n`);
  return ((await readTextIfExists(file)) ?? '').trim();
}
