import { cpus } from 'node:os';
import { JobClient } from './client.js';
import { cpuBetween, machineBusyMs, type Usage, usageOf } from './processes.js';
import { percentile } from './stats.js';
import type { RunningSystem, Timeline } from './system.js';

/** What one round of one system gave. Times in ms. */
export interface Round {
  /** Submit to SUCCESS, one job at a time, by polling. */
  readonly latencies: readonly number[];
  /** The same, told by the job's event stream; empty where there is none. */
  readonly eventLatencies: readonly number[];
  /** The `POST` alone. */
  readonly submits: readonly number[];
  readonly jobsPerSecond: number;
  /** CPU ms per job by class of process, over the throughput phase. */
  readonly cpuPerJob: Readonly<Record<string, number>>;
  readonly residentBytes: Readonly<Record<string, number>>;
  /** Share of all cores that neither the system nor this client used during the round, 0…1. */
  readonly foreignLoad: number;
  /** Where the time of the single jobs went, where the system can tell. */
  readonly stages: Readonly<Record<string, readonly number[]>> | null;
}

export interface Plan {
  /** Single jobs, and jobs of a burst, that are not measured. */
  readonly warmUps: number;
  readonly warmBurst: number;
  readonly latencyJobs: number;
  readonly pollMs: number;
  readonly burstJobs: number;
  readonly submitters: number;
}

/** What runs for days is measured, not the compilers of Node in its first seconds. */
export async function warmUp(system: RunningSystem, script: string, plan: Plan): Promise<void> {
  const client = new JobClient(system.baseUrl, system.token, script);
  try {
    for (let i = 0; i < plan.warmUps; i++) await oneJob(client, plan.pollMs);
    await burst(client, plan.warmBurst, plan.submitters);
  } finally {
    client.close();
  }
}

export async function measureRound(system: RunningSystem, script: string, plan: Plan): Promise<Round> {
  const client = new JobClient(system.baseUrl, system.token, script);
  try {
    // Connects, and lets a system that was stopped for a while catch up.
    for (let i = 0; i < 5; i++) await oneJob(client, plan.pollMs);
    const watch = watchOthers(system);
    const latencies: number[] = [];
    const submits: number[] = [];
    const timelines: Timeline[] = [];
    for (let i = 0; i < plan.latencyJobs; i++) {
      const job = await oneJob(client, plan.pollMs);
      submits.push(job.answeredAt - job.sentAt);
      latencies.push(job.seenAt - job.sentAt);
      timelines.push(job);
    }

    const eventLatencies: number[] = [];
    for (let i = 0; system.events !== undefined && i < plan.latencyJobs / 2; i++) {
      const start = performance.now();
      const jobId = await client.submit();
      await client.waitForEvent(system.events(jobId), (text) => text.includes('"status":"SUCCESS"'));
      eventLatencies.push(performance.now() - start);
    }

    const before = usageOf(system.pids, system.classify);
    const seconds = await burst(client, plan.burstJobs, plan.submitters);
    const after = usageOf(system.pids, system.classify);
    const spent = Object.entries(cpuBetween(before, after)).map(([kind, ms]) => [kind, ms / plan.burstJobs] as const);
    return {
      latencies,
      eventLatencies,
      submits,
      jobsPerSecond: plan.burstJobs / seconds,
      cpuPerJob: Object.fromEntries(spent),
      residentBytes: after.residentBytes,
      foreignLoad: watch(),
      stages: (await system.trace?.(timelines)) ?? null,
    };
  } finally {
    client.close();
  }
}

async function oneJob(client: JobClient, pollMs: number): Promise<Timeline> {
  const now = () => performance.timeOrigin + performance.now();
  const sentAt = now();
  const jobId = await client.submit();
  const answeredAt = now();
  await client.waitForSuccess(jobId, pollMs);
  return { jobId, sentAt, answeredAt, seenAt: now() };
}

/**
 * Submits `count` jobs over `submitters` connections, each as fast as its answers come, and waits until the last has
 * succeeded. One watcher asks for the oldest job that is not known to have ended, every 20 ms: 50 questions a second,
 * so the watching costs next to nothing on either side.
 */
async function burst(client: JobClient, count: number, submitters: number): Promise<number> {
  const start = performance.now();
  const ids: string[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: submitters }, async () => {
      while (left-- > 0) ids.push(await client.submit());
    }),
  );
  for (const id of ids) await client.waitForSuccess(id, 20);
  return (performance.now() - start) / 1000;
}

/** Time of one `GET` of a job's state, over `reads` reads of random jobs on `connections` connections. */
export async function measureReads(
  system: RunningSystem,
  ids: readonly string[],
  reads: number,
  connections: number,
): Promise<{ readonly p50: number; readonly p95: number }> {
  const client = new JobClient(system.baseUrl, system.token, '');
  const times: number[] = [];
  const read = async () => {
    const id = ids[Math.floor(Math.random() * ids.length)] as string;
    const start = performance.now();
    const answer = await client.get(`/jobs/${id}/details`);
    times.push(performance.now() - start);
    if (answer.status !== 200) throw new Error(`GET details answered ${answer.status}: ${answer.text}`);
  };
  try {
    for (let i = 0; i < 100; i++) await read();
    times.length = 0;
    let left = reads;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (left-- > 0) await read();
      }),
    );
    return { p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
  } finally {
    client.close();
  }
}

/** Starts watching; the function it returns tells the share of the cores that others used since. */
function watchOthers(system: RunningSystem): () => number {
  const total = (usage: Usage) => Object.values(usage.cpuMs).reduce((sum, ms) => sum + ms, 0);
  const own = () => {
    const { user, system: kernel } = process.cpuUsage();
    return (user + kernel) / 1000;
  };
  const start = {
    at: performance.now(),
    busy: machineBusyMs(),
    own: own(),
    usage: usageOf(system.pids, system.classify),
  };
  return () => {
    const usage = total(usageOf(system.pids, system.classify)) - total(start.usage);
    const foreign = machineBusyMs() - start.busy - (own() - start.own) - usage;
    return Math.max(0, foreign) / ((performance.now() - start.at) * cpus().length);
  };
}
