import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/**
 * Tiers by folder. Those that need a Temporal server share one, started by the global set-up and told by
 * `inject('temporalAddress')`; each test has its own task queue, workflow ids and folders.
 *
 * Files of all tiers run beside each other, long ones first, so that no core waits for the last file of a tier. Only what says
 * how long something may take has the machine to itself afterwards, as the tier `timed`.
 */
const timed = ['test/e2e/times.test.ts', 'test/integration/server/chain.test.ts'];

interface TierOptions {
  readonly timeoutMs: number;
  /** Needs the Temporal server of the tests. */
  readonly server?: boolean;
  /** Files in one process after another: for those that leave nothing behind in it. It saves loading modules again. */
  readonly isolate?: boolean;
  /** Has the machine to itself. */
  readonly alone?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

const tier = (name: string, options: TierOptions) => ({
  test: {
    name,
    include: [...(options.include ?? [`test/${name}/**/*.test.ts`])],
    exclude: [...(options.exclude ?? [])],
    setupFiles: ['test/support/no-stray-output.ts'],
    ...(options.server === true ? { globalSetup: ['test/support/global-setup.ts'] } : {}),
    pool: 'forks' as const,
    isolate: options.isolate ?? true,
    // One more than the smallest machine this is run on has cores: end-to-end files wait most of the time.
    maxWorkers: options.alone === true ? 1 : 3,
    sequence: { groupOrder: options.alone === true ? 1 : 0 },
    testTimeout: options.timeoutMs,
    hookTimeout: Math.max(options.timeoutMs, 30_000),
    // A loaded machine may need long for what takes a moment elsewhere.
    expect: { poll: { timeout: options.timeoutMs / 6 } },
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      tier('unit', { timeoutMs: 30_000, isolate: false }),
      tier('workflow', { server: true, timeoutMs: 60_000 }),
      tier('replay', { timeoutMs: 60_000 }),
      tier('integration', { server: true, timeoutMs: 60_000, exclude: timed }),
      tier('e2e', { server: true, timeoutMs: 180_000, exclude: timed }),
      tier('timed', { server: true, timeoutMs: 180_000, alone: true, include: timed }),
    ],
  },
});
