import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../store/atomic.js';
import type { ApiDeps, App } from '../deps.js';
import { liveWorkers } from '../worker-reports.js';

const patienceMs = 2000;
/** With less on the share, jobs cannot even be written down. */
const leastFreeBytes = 1 << 20;

const partSchema = z.object({ ok: z.boolean(), detail: z.string() });
const readySchema = z
  .object({ ready: z.boolean(), parts: z.object({ temporal: partSchema, share: partSchema, workers: partSchema }) })
  .meta({
    id: 'Readiness',
    examples: [
      {
        ready: true,
        parts: {
          temporal: { ok: true, detail: 'answers' },
          share: { ok: true, detail: 'can be written' },
          workers: { ok: false, detail: 'no worker is alive: jobs are accepted and wait' },
        },
      },
    ],
  });

type PartState = z.infer<typeof partSchema>;

/** `/healthz`: the process lives. `/readyz`: it can do its work, and if not, what is missing. */
export function healthRoutes(app: App, { store, engine }: ApiDeps): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['dev'],
        summary: 'The process is alive',
        response: { 200: z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['dev'],
        summary: 'Jobs can be accepted',
        description: 'Needs Temporal and the share. Without workers it is still ready: jobs wait for them.',
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const [temporal, share, workers] = await Promise.all([temporalState(), shareState(), workersState()]);
      const ready = temporal.ok && share.ok;
      return reply.code(ready ? 200 : 503).send({ ready, parts: { temporal, share, workers } });
    },
  );

  async function temporalState(): Promise<PartState> {
    const ok = await engine.ping(patienceMs).catch(() => false);
    return { ok, detail: ok ? 'answers' : 'does not answer: check that it runs, and TEMPORAL_ADDRESS' };
  }

  async function shareState(): Promise<PartState> {
    // A network share that hangs does not fail, it answers never.
    const timeout = new Promise<PartState>((resolve) => {
      setTimeout(() => resolve({ ok: false, detail: `does not answer within ${patienceMs} ms` }), patienceMs).unref();
    });
    const check = writability().catch((error: unknown) => ({
      ok: false,
      detail: `cannot be written (${errorCode(error)}): check SHARE_PATH`,
    }));
    return Promise.race([check, timeout]);
  }

  async function writability(): Promise<PartState> {
    await access(join(store.root, '.incoming'), constants.R_OK | constants.W_OK);
    const { bavail, bsize } = await statfs(store.root);
    return bavail * bsize < leastFreeBytes
      ? { ok: false, detail: `is full: make room on the disk of ${store.root}` }
      : { ok: true, detail: 'can be written' };
  }

  async function workersState(): Promise<PartState> {
    const workers = await liveWorkers(store.root).catch(() => []);
    if (workers.length === 0) return { ok: false, detail: 'no worker is alive: jobs are accepted and wait' };
    const queues = [...new Set(workers.flatMap((worker) => worker.queues))].sort();
    return { ok: true, detail: `${workers.length} alive, queues ${queues.join(', ')}` };
  }
}
