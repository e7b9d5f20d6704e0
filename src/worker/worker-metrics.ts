import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RunnerStats } from '../contract/runner.js';
import type { Gpu } from '../contract/worker-report.js';
import type { GpuWatch } from './gpus.js';
import type { SlotPool } from './slot-pool.js';

/** What a worker counts. Labels are bounded: its own queues, and the words for outcomes. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #attempts: Counter<'queue' | 'outcome'>;
  readonly #seconds: Histogram<'queue' | 'outcome'>;

  constructor(slots: SlotPool, runner: () => RunnerStats, gpus: GpuWatch) {
    const registers = [this.registry];
    this.#attempts = new Counter({
      name: 'pixyz_attempts_total',
      help: 'Attempts of scripts that have ended, by outcome.',
      labelNames: ['queue', 'outcome'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'pixyz_attempt_duration_seconds',
      help: 'Time from taking a task to its end.',
      labelNames: ['queue', 'outcome'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1200, 3600, 14400],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('pixyz_worker_slots', 'Scripts this worker may run at the same time.', () => slots.stats.limit);
    gauge('pixyz_worker_slots_used', 'Slots taken by scripts.', () => slots.stats.used);
    gauge('pixyz_worker_slots_lent', 'Slots lent by scripts that wait for other jobs.', () => slots.stats.lent);
    gauge(
      'pixyz_worker_warm_children',
      'Python children that wait for a task with everything loaded.',
      () => runner().warm,
    );
    gauge('pixyz_worker_running_children', 'Python children that run a script.', () => runner().running);
    gauge(
      'pixyz_worker_children_resident_bytes',
      'Resident memory of the Python host and its children.',
      () => runner().residentBytes,
    );
    const ofGpus = (name: string, help: string, read: (gpu: Gpu) => number | null): void => {
      new Gauge({
        name,
        help,
        labelNames: ['gpu', 'model'],
        registers,
        collect() {
          this.reset();
          for (const gpu of gpus.list) {
            const value = read(gpu);
            if (value !== null) this.set({ gpu: String(gpu.index), model: gpu.name }, value);
          }
        },
      });
    };
    ofGpus('pixyz_worker_gpu_memory_bytes', 'Memory of a GPU of this machine.', (gpu) => gpu.memoryTotal);
    ofGpus('pixyz_worker_gpu_memory_used_bytes', 'Used memory of a GPU, by whomever.', (gpu) => gpu.memoryUsed);
    ofGpus('pixyz_worker_gpu_utilization_percent', 'How busy a GPU is.', (gpu) => gpu.utilization);
  }

  attempt(queue: string, outcome: string, seconds: number): void {
    this.#attempts.inc({ queue, outcome });
    this.#seconds.observe({ queue, outcome }, seconds);
  }
}
