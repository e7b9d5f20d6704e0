import { defineConfig } from 'vitest/config';

/**
 * Tiers by folder. Those that need a Temporal server share one, started by the global set-up and told by
 * `inject('temporalAddress')`; each test has its own task queue, workflow ids and folders.
 */
const tier = (name: string, order: number, options: { server: boolean; workers: number; timeoutMs: number }) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
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
      tier('e2e', 4, { server: true, workers: 1, timeoutMs: 180_000 }),
    ],
  },
});
