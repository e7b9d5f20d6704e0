import { type InjectedSinks, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { RecordActivities } from '../activities/index.js';
import type { JournalSinks } from '../contract/journal.js';
import { versionQueue } from '../contract/workflow-queues.js';
import { engineDataConverter } from '../engine/payload-codec.js';
import type { TemporalEngine } from '../engine/temporal-engine.js';
import type { Catalogue } from './catalogue.js';
import type { CutOffs } from './cut-offs.js';
import { createFileActivities, type FileActivityDeps } from './file-activities.js';

/**
 * Serves the versions of workflow files that runs are open of: each with a Temporal worker, a thread and a task queue of its
 * own. So a run keeps the code it began with for as long as it lives, over restarts too, and a program that goes wrong takes
 * nothing else with it.
 *
 * Task queues by version, and not Temporal's Worker Deployments: those keep at most a hundred versions, each save of a file is
 * one, and a new one takes effect only some time after its worker has been seen.
 */
export interface HostOptions extends FileActivityDeps {
  readonly engine: TemporalEngine;
  readonly catalogue: Catalogue;
  /** What interpreters of graphs need of their worker. */
  readonly records: RecordActivities;
  readonly sinks: InjectedSinks<JournalSinks>;
  readonly cutOffs: CutOffs;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

const pollMs = 2000;
/** A version without open runs is kept at hand for so long: the next one comes quicker, and lists may lag behind. */
const idleMs = 5 * 60_000;
/** Less than the ten seconds after which Temporal has a step tried again, and not the SDK's own limit, which `light-workflow-thread.ts` takes away. */
const isolateExecutionTimeout = '8 seconds';

interface Served {
  readonly ready: Promise<Worker>;
  readonly running: Promise<void>;
  lastUse: number;
}

export class VersionHost {
  readonly #options: HostOptions;
  readonly #served = new Map<string, Served>();
  readonly #failed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Serves what is open, from now on. */
  start(): void {
    const look = (): void => {
      this.#looking = this.#look()
        .catch((error: unknown) =>
          this.#options.logger.warn({ error: String(error) }, 'open runs of workflow files cannot be listed'),
        )
        .finally(() => {
          if (!this.#stopped) this.#timer = setTimeout(look, pollMs);
        });
    };
    look();
  }

  /** Resolves when the version's queue is polled. @throws when its bundle is not there */
  async serve(name: string, version: string): Promise<void> {
    if (this.#stopped) throw new Error('the host of workflow files has been stopped');
    const queue = versionQueue(name, version);
    const served = this.#served.get(queue) ?? this.#begin(queue, name, version);
    served.lastUse = Date.now();
    await served.ready;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all([...this.#served.keys()].map((queue) => this.#end(queue)));
    this.#options.cutOffs.stop();
  }

  #begin(queue: string, name: string, version: string): Served {
    const ready = this.#createWorker(queue, name, version);
    const running = ready.then((worker) => worker.run());
    const served = { ready, running, lastUse: Date.now() };
    this.#served.set(queue, served);
    running.then(
      () => this.#forget(queue, served),
      (error: unknown) => {
        this.#forget(queue, served);
        // Told once: it is tried again at every look while runs of it are open.
        if (!this.#failed.has(queue))
          this.#options.logger.error(
            {
              workflow: name,
              version,
              error: String(error),
            },
            'a version of a workflow file cannot be served',
          );
        this.#failed.add(queue);
      },
    );
    return served;
  }

  #forget(queue: string, served: Served): void {
    if (this.#served.get(queue) === served) this.#served.delete(queue);
  }

  async #createWorker(queue: string, name: string, version: string): Promise<Worker> {
    const { engine, catalogue, records, sinks, cutOffs } = this.#options;
    await cutOffs.settled();
    const options = {
      connection: engine.connection,
      namespace: engine.namespace,
      dataConverter: engineDataConverter,
      taskQueue: queue,
      workflowBundle: { codePath: catalogue.bundlePath(name, version) },
      activities: { ...records, ...createFileActivities(this.#options, name, version) },
      sinks,
      maxConcurrentWorkflowTaskExecutions: 20,
      maxConcurrentActivityTaskExecutions: 10,
      maxConcurrentWorkflowTaskPolls: 2,
      maxConcurrentActivityTaskPolls: 1,
      maxCachedWorkflows: 100,
      reuseV8Context: true,
      shutdownGraceTime: '5 seconds',
      isolateExecutionTimeout,
    } as const;
    return Worker.create(options);
  }

  async #look(): Promise<void> {
    const open = await this.#options.engine.ofFiles.openVersions();
    if (this.#stopped) return;
    await Promise.all(open.map(({ name, version }) => this.serve(name, version).catch(() => undefined)));
    await this.#options.cutOffs.endJournals();
    const idle = [...this.#served].filter(([, { lastUse }]) => Date.now() - lastUse > idleMs);
    await Promise.all(idle.map(([queue]) => this.#end(queue)));
  }

  async #end(queue: string): Promise<void> {
    const served = this.#served.get(queue);
    if (served === undefined) return;
    this.#served.delete(queue);
    await served.ready.then(
      (worker) => worker.getState() === 'RUNNING' && worker.shutdown(),
      () => undefined,
    );
    await served.running.catch(() => undefined);
  }
}
