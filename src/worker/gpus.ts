import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Gpu } from '../contract/worker-report.js';

/** A question takes some tenths of a second of the driver's time: not with every report. */
const everyMs = 5000;
const patienceMs = 4000;
const query = ['index', 'name', 'memory.total', 'memory.used', 'utilization.gpu'];
const args = [`--query-gpu=${query.join(',')}`, '--format=csv,noheader,nounits'];

/** The GPUs of this machine as `nvidia-smi` tells of them; a machine without it has none. */
export class GpuWatch {
  #gpus: readonly Gpu[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #isThere = true;
  readonly #program: string;

  constructor(program = 'nvidia-smi') {
    this.#program = program;
  }

  /** What was known last. Asks again in the background when that is old: a driver that hangs must hold up nothing. */
  get list(): readonly Gpu[] {
    if (this.#isThere && performance.now() - this.#askedAt >= everyMs) void this.refresh();
    return this.#gpus;
  }

  async refresh(): Promise<void> {
    this.#askedAt = performance.now();
    try {
      const { stdout } = await promisify(execFile)(this.#program, args, { timeout: patienceMs });
      this.#gpus = gpusOf(stdout);
    } catch (error) {
      this.#gpus = [];
      // No such program: there will be none before this worker is started again.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#isThere = false;
    }
  }
}

/** Lines such as `0, NVIDIA H100 80GB HBM3, 81559, 1234, 17`; what a GPU cannot tell stands there as `[N/A]`. */
export function gpusOf(csv: string): Gpu[] {
  const gpus: Gpu[] = [];
  for (const line of csv.split('\n')) {
    const cells = line.split(',').map((cell) => cell.trim());
    const [index, name, total, used, utilization] = cells;
    if (cells.length !== query.length || name === undefined || !/^\d+$/.test(index ?? '')) continue;
    gpus.push({
      index: Number(index),
      name,
      memoryTotal: mebibytes(total) ?? 0,
      memoryUsed: mebibytes(used) ?? 0,
      utilization: numberOf(utilization),
    });
  }
  return gpus;
}

function mebibytes(cell: string | undefined): number | null {
  const value = numberOf(cell);
  return value === null ? null : value * 2 ** 20;
}

function numberOf(cell: string | undefined): number | null {
  return cell !== undefined && /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : null;
}
