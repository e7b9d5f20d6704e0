import { graphIdOf } from '../../contract/ids.js';
import { isServiceQueue } from '../../contract/queues.js';
import type { Gpu, WorkerReport } from '../../contract/worker-report.js';
import type { QueueStats } from '../../engine/engine.js';
import type { ShownQueue, ShownWorker } from '../schemas/operations.js';

/** Queues and workers as clients see them. */

export function presentQueue(stats: QueueStats, all: readonly WorkerReport[]): ShownQueue {
  const { queue, backlog, oldestAgeSeconds, pollers, paused } = stats;
  const workers = all.filter(({ queues }) => queues.includes(queue));
  const taking = workers.filter(({ draining }) => !draining);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    queue,
    backlog,
    oldest_age: oldestAgeSeconds,
    pollers,
    workers: workers.map(({ name }) => name),
    service: isServiceQueue(queue),
    paused,
    slots: sum(taking.map(({ slots }) => slots.limit)),
    slots_used: sum(taking.map(({ slots }) => slots.used)),
    running: sum(workers.map(({ running }) => running.filter((attempt) => attempt.queue === queue).length)),
  };
}

export function presentWorker(report: WorkerReport): ShownWorker {
  const { name, host, pid, startedAt, at, queues, draining, slots, machine, version, node, engine } = report;
  const { warm, running, residentBytes } = report.runner;
  return {
    name,
    host,
    pid,
    started: startedAt,
    seen: at,
    queues,
    draining,
    slots,
    children: { warm, running, resident_bytes: residentBytes },
    version,
    node,
    engine,
    uptime: Math.max(0, Math.round((Date.parse(at) - Date.parse(startedAt)) / 1000)),
    running: report.running.map(({ jobId, inGraph, since, ...attempt }) => ({
      job: jobId,
      graph: inGraph ? graphIdOf(jobId) : null,
      name: attempt.name,
      queue: attempt.queue,
      attempt: attempt.attempt,
      since,
      pid: attempt.pid,
    })),
    tasks: report.tasks,
    machine:
      machine === null
        ? null
        : {
            cpus: machine.cpus,
            load: machine.load,
            memory_total: machine.memoryTotal,
            memory_free: machine.memoryFree,
          },
    gpus: report.gpus.map(presentGpu),
  };
}

function presentGpu({ index, name, memoryTotal, memoryUsed, utilization }: Gpu): ShownWorker['gpus'][number] {
  return { index, name, memory_total: memoryTotal, memory_used: memoryUsed, utilization };
}
