import { createServer } from 'node:net';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { isUuid } from '../contract/ids.js';
import { jobFields } from '../contract/log-fields.js';

/** Sends the Temporal SDK's log into ours, and offers its metrics as Prometheus text. Once per process, before any connection. */
export async function installSdkRuntime(logger: Logger): Promise<{ readonly metrics: () => Promise<string> }> {
  const port = await freePort();
  const child = logger.child({ from: 'temporal-sdk' });
  const at = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
    child[level](fieldsOf(meta), message);
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) => at(levelOf(level))(message, meta),
      trace: at('trace'),
      debug: at('debug'),
      // The SDK tells of every start and stop of its parts; the worker says the same in one line.
      info: at('debug'),
      warn: (message, meta) => at(levels.get(message) ?? 'warn')(message, meta),
      error: at('error'),
    },
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      metrics: { prometheus: { bindAddress: `127.0.0.1:${port}` } },
    },
  });
  return {
    metrics: async () => {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2000) });
        return await answer.text();
      } catch {
        return '';
      }
    },
  };
}

/** Of what the SDK tells: a run of ours has the id of its graph, a standalone activity that of its job. */
export function fieldsOf(told: object = {}): object {
  const { error, ...rest } = told as { readonly error?: unknown };
  // Under this name an error is written with its message and stack, and not as {}.
  const meta = error === undefined ? rest : { ...rest, err: error };
  const { workflowId, activityId } = meta as { readonly workflowId?: unknown; readonly activityId?: unknown };
  if (typeof workflowId === 'string' && isUuid(workflowId)) return { ...meta, graph: workflowId };
  return typeof activityId === 'string' && isUuid(activityId) ? { ...meta, ...jobFields(activityId) } : meta;
}

/** Warnings about what is meant to be so: compute queues run activities only, and graphs fail when their nodes do. */
const levels = new Map([
  ['No workflows registered, not polling for workflow tasks', 'debug'],
  ['Workflow failed', 'info'],
] as const) as ReadonlyMap<string, 'debug' | 'info'>;

function levelOf(level: string): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  const word = level.toLowerCase();
  return word === 'info'
    ? 'debug'
    : ((['trace', 'debug', 'warn', 'error'] as const).find((known) => known === word) ?? 'debug');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
