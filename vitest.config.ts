import { defineConfig } from 'vitest/config';

/**
 * Tiers by folder. Those that need a Temporal server share one, started by the global set-up and told by
 * `inject('temporalAddress')`; each test has its own task queue, workflow ids and folders.
 *
 * End-to-end files wait most of the time, for processes and for each other, so two of them run at once. Those that say how
 * long something may take have the machine to themselves, as the tier `e2e-timed`; `--project 'e2e*'` is both.
 */
const timed = ['kills', 'faults', 'page-graph-large'].map((name) => `test/e2e/${name}.test.ts`);

interface TierOptions {
  readonly server: boolean;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

const tier = (name: string, order: number, options: TierOptions) => ({
  test: {
    name,
    include: [...(options.include ?? [`test/${name}/**/*.test.ts`])],
    exclude: [...(options.exclude ?? [])],
    setupFiles: ['test/support/no-stray-output.ts'],
    ...(options.server ? { globalSetup: ['test/support/global-setup.ts'] } : {}),
    pool: 'forks' as const,
    // Not more than the two cores of the smallest machine this is run on; the server and the scripts want some too.
    maxWorkers: options.workers,
    sequence: { groupOrder: order },
    testTimeout: options.timeoutMs,
    hookTimeout: Math.max(options.timeoutMs, 30_000),
    // A loaded machine may need long for what takes a moment elsewhere.
    expect: { poll: { timeout: options.timeoutMs / 6 } },
  },
});

export default defineConfig({
  test: {
    projects: [
      tier('unit', 0, { server: false, workers: 2, timeoutMs: 10_000 }),
      tier('workflow', 1, { server: true, workers: 2, timeoutMs: 30_000 }),
      tier('replay', 2, { server: false, workers: 1, timeoutMs: 60_000 }),
      tier('integration', 3, { server: true, workers: 2, timeoutMs: 60_000 }),
      tier('e2e', 4, { server: true, workers: 2, timeoutMs: 180_000, exclude: timed }),
      tier('e2e-timed', 5, { server: true, workers: 1, timeoutMs: 180_000, include: timed }),
    ],
  },
});
