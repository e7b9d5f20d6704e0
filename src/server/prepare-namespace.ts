import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../engine/search-attributes.js';

/** What a namespace needs before the first run: itself, its retention and the search attributes. Running it again changes nothing. */

const retentionSeconds = 30 * 24 * 3600;
const keyword = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
// gRPC statuses
const invalidArgument = 3;
const notFound = 5;
const alreadyExists = 6;
const permissionDenied = 7;

const pause = () => sleep(50);
const grpcCode = (error: unknown) => (error as { code?: number }).code;

/** Connects once the server answers. @throws with the last reason when it does not within the time. */
export async function connectWhenReady(address: string, timeoutMs: number): Promise<Connection> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await Connection.connect({ address, connectTimeout: 1000 });
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`no Temporal server answers at ${address}: ${(error as Error).message}`, { cause: error });
      }
      await pause();
    }
  }
}

/** @throws when the namespace is not usable within the time. */
export async function prepareNamespace(connection: Connection, namespace: string, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const { workflowService, operatorService } = connection;
  /** A server that has just come up, or a cache that has not read the new namespace yet, refuses for a moment. */
  const insist = async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (Date.now() > deadline || [invalidArgument, permissionDenied].includes(grpcCode(error) ?? -1)) throw error;
        await pause();
      }
    }
  };
  /**
   * The frontend answers before it has found the other services of the cluster; a worker that polls in between is
   * refused. One question goes to matching, one to history.
   */
  const allServicesAnswer = async () => {
    await insist(() =>
      workflowService.describeTaskQueue({ namespace, taskQueue: { name: 'pixyz:ready' }, taskQueueType: 1 }),
    );
    await insist(() =>
      workflowService
        .describeWorkflowExecution({ namespace, execution: { workflowId: 'pixyz:ready' } })
        .catch((error: unknown) => {
          if (grpcCode(error) !== notFound) throw error;
        }),
    );
  };
  const known = await insist(async () => {
    try {
      await workflowService.describeNamespace({ namespace });
      return true;
    } catch (error) {
      if (grpcCode(error) === notFound) return false;
      throw error;
    }
  });
  if (!known) {
    await insist(() =>
      workflowService
        .registerNamespace({
          namespace,
          description: 'Jobs and graphs of the Pixyz Temporal Scheduler',
          workflowExecutionRetentionPeriod: { seconds: retentionSeconds as unknown as never },
        })
        .catch((error: unknown) => {
          if (grpcCode(error) !== alreadyExists) throw error;
        }),
    );
  }
  const missing = async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return Object.keys(searchAttributes).filter((name) => customAttributes?.[name] === undefined);
  };
  const names = await insist(missing);
  if (names.length === 0) return allServicesAnswer();
  await insist(() =>
    operatorService
      .addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(names.map((name) => [name, keyword])),
      })
      .catch((error: unknown) => {
        if (grpcCode(error) !== alreadyExists) throw error;
      }),
  );
  // What the list says at once, the frontend uses only when it has read the namespace anew, within two seconds.
  const query = names.map((name) => `${name} = 'none'`).join(' AND ');
  for (;;) {
    try {
      await insist(() => workflowService.countWorkflowExecutions({ namespace, query }));
      break;
    } catch (error) {
      if (Date.now() > deadline || grpcCode(error) !== invalidArgument) throw error;
      await pause();
    }
  }
  await allServicesAnswer();
}
