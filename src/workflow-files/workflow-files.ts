import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { z } from 'zod';
import { lostRunDeps } from '../activities/end-lost-run.js';
import { CachedInspector } from '../compile/cached-inspector.js';
import { type CheckerDeps, GraphChecker } from '../compile/graph-checker.js';
import type { GraphHeader } from '../contract/graph-document.js';
import type { ScriptInspector } from '../contract/inspection.js';
import { preciseNow, utcWithoutOffset } from '../contract/time.js';
import {
  type CurrentFile,
  type FileRunInput,
  fileRunInputSchema,
  type LaunchActivities,
  type VersionAbout,
} from '../contract/workflow-files.js';
import { launchQueue, versionQueue } from '../contract/workflow-queues.js';
import { engineDataConverter } from '../engine/payload-codec.js';
import type { TemporalEngine } from '../engine/temporal-engine.js';
import { scheduledGraphId } from '../engine/temporal-workflow-files.js';
import type { WorkflowFileEngine } from '../engine/workflow-file-engine.js';
import { EngineError } from '../errors/engine-error.js';
import { readTextIfExists } from '../store/atomic.js';
import { openGraphs } from '../store/graph-share.js';
import type { GraphStore, IncomingGraph } from '../store/graph-store.js';
import type { JobStore } from '../store/job-store.js';
import { currentTrace } from '../telemetry/current-trace.js';
import type { Tracing } from '../telemetry/tracing.js';
import { engineActivities, journalSinks } from '../worker/engine-worker.js';
import { ApartBuilder } from './build.js';
import { Catalogue } from './catalogue.js';
import { CutOffs } from './cut-offs.js';
import { engineKey } from './engine-key.js';
import { sentenceOf, WorkflowFolder } from './folder.js';
import { VersionHost } from './host.js';

/** The workflow files of an installation, as one process sees them: their versions, their runs, their schedules. */

export interface WorkflowFilesOptions {
  readonly engine: TemporalEngine;
  readonly store: JobStore;
  readonly inspector: ScriptInspector;
  readonly settings: CheckerDeps['options'];
  readonly callbackSecret: string | undefined;
  readonly tracing?: Tracing | undefined;
  /** The folder of the files, in the one process that bundles them; others serve what that one has made. */
  readonly folder: string | null;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** A file, and what its newest version says of itself. */
export interface ListedWorkflow {
  readonly current: CurrentFile;
  readonly about: VersionAbout | null;
}

/** What a run is asked for with. */
export interface AskedRun {
  readonly graphId: string;
  readonly workflow: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: unknown;
  readonly digest: string | null;
}

/** Versions without runs are kept for so long: lists of what is open may lag behind, and somebody may change a file back. */
const keptMs = 7 * 24 * 3600_000;
const sweepEveryMs = 3600_000;

export class WorkflowFiles {
  readonly engine: WorkflowFileEngine;
  readonly #options: WorkflowFilesOptions;
  readonly #catalogue: Catalogue;
  readonly #documents: GraphStore;
  readonly #builder = new ApartBuilder();
  readonly #folder: WorkflowFolder | null;
  readonly #host: VersionHost;
  #launcher: { readonly worker: Worker; readonly running: Promise<void> } | null = null;
  #sweeping: NodeJS.Timeout | undefined;
  readonly #schemas = new Map<string, z.ZodType>();

  constructor(options: WorkflowFilesOptions) {
    const { engine, store, inspector, settings, folder, logger } = options;
    this.#options = options;
    this.engine = engine.ofFiles;
    this.#catalogue = new Catalogue(store.root);
    const graphs = openGraphs(store);
    this.#documents = graphs.documents;
    this.#folder =
      folder === null
        ? null
        : new WorkflowFolder({
            folder,
            catalogue: this.#catalogue,
            build: this.#builder.build,
            engineKey: engineKey(),
            logger,
          });
    this.#host = new VersionHost({
      engine,
      catalogue: this.#catalogue,
      graphs,
      cutOffs: new CutOffs({
        engine: this.engine,
        catalogue: this.#catalogue,
        documents: graphs.documents,
        lost: lostRunDeps({ store, engine, reader: graphs.reader, logger }),
        logger,
      }),
      checker: new GraphChecker({ options: settings }, new CachedInspector(inspector)),
      records: engineActivities(engine, store, { callbackSecret: options.callbackSecret }),
      sinks: journalSinks(store.root, options.tracing),
      logger,
    });
  }

  async start(): Promise<void> {
    const { engine, logger } = this.#options;
    if (this.#folder !== null) {
      this.#folder.start();
      this.#sweeping = setInterval(() => void this.#sweep(), sweepEveryMs).unref();
    }
    this.#host.start();
    const activities: LaunchActivities = {
      prepareScheduledRun: async (launch, key) => {
        const graphId = scheduledGraphId(key);
        const { workflow, name, labels, input } = launch;
        const asked = { graphId, workflow, name, labels, input, digest: null };
        const { given } = (await this.#repeated(asked)) ?? (await this.#make(asked, null));
        await this.#host.serve(workflow, given.version);
        return { workflow, input: given };
      },
    };
    const worker = await Worker.create({
      connection: engine.connection,
      namespace: engine.namespace,
      dataConverter: engineDataConverter,
      taskQueue: launchQueue,
      activities: { ...activities },
      maxConcurrentActivityTaskExecutions: 5,
      maxConcurrentActivityTaskPolls: 1,
      shutdownGraceTime: '5 seconds',
    });
    const running = worker.run().catch((error: unknown) => {
      logger.error({ error: String(error) }, 'scheduled workflows cannot be started any more');
    });
    this.#launcher = { worker, running };
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeping);
    const launcher = this.#launcher;
    if (launcher?.worker.getState() === 'RUNNING') launcher.worker.shutdown();
    // A file that is being bundled would hold the end up, and is bundled at the next start.
    this.#builder.stop();
    await Promise.all([this.#folder?.stop(), this.#host.stop(), launcher?.running]);
  }

  async list(): Promise<ListedWorkflow[]> {
    const files = this.#folder?.files() ?? [];
    return Promise.all(files.map(async (current) => ({ current, about: await this.#about(current) })));
  }

  /** @throws EngineError NOT_FOUND */
  async get(name: string): Promise<ListedWorkflow> {
    const current = this.#folder === null ? await this.#catalogue.current(name) : await this.#folder.file(name);
    if (current !== null) return { current, about: await this.#about(current) };
    const names = (await this.list()).map((one) => one.current.name);
    const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw new EngineError('NOT_FOUND', `there is no workflow "${name}": ${known}`);
  }

  /**
   * Starts a run. The same run again is a success and changes nothing.
   * @param incoming files that came with the request
   * @throws EngineError when there is no such workflow, it cannot be used, or the input is not what it takes
   */
  async run(asked: AskedRun, incoming: IncomingGraph | null): Promise<GraphHeader> {
    const before = await this.#repeated(asked);
    const { header, given } = before ?? (await this.#make(asked, incoming));
    await this.#host.serve(asked.workflow, given.version);
    try {
      await this.engine.start({ workflow: asked.workflow, input: given }, labelsOf(header));
    } catch (error) {
      if (before === null) await this.#documents.remove(header.graphId);
      throw error;
    }
    return header;
  }

  /** @throws EngineError when no run could be started with this input now */
  async check(name: string, input: unknown): Promise<void> {
    await this.#usable(name, input);
  }

  async #sweep(): Promise<void> {
    try {
      const open = new Set((await this.engine.openVersions()).map(({ name, version }) => versionQueue(name, version)));
      const before = new Date(Date.now() - keptMs);
      const removed = await this.#catalogue.sweep((name, version) => open.has(versionQueue(name, version)), before);
      if (removed > 0) this.#options.logger.info({ removed }, 'old versions of workflow files were removed');
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'old versions of workflow files could not be removed');
    }
  }

  async #about({ name, version }: CurrentFile): Promise<VersionAbout | null> {
    return version === null ? null : this.#catalogue.about(name, version);
  }

  /** The graph of this id, where there is one. @throws EngineError CONFLICT when it is of another request */
  async #repeated({ graphId, digest }: AskedRun): Promise<{ header: GraphHeader; given: FileRunInput } | null> {
    const header = await this.#documents.header(graphId);
    if (header === null) return null;
    if (header.digest !== digest) {
      throw new EngineError(
        'CONFLICT',
        'this Idempotency-Key was used for another request: use a new key for a new run',
      );
    }
    const text = await readTextIfExists(this.#documents.paths(graphId).run);
    return text === null ? null : { header, given: fileRunInputSchema.parse(JSON.parse(text)) };
  }

  async #make(
    asked: AskedRun,
    given: IncomingGraph | null,
  ): Promise<{ readonly header: GraphHeader; readonly given: FileRunInput }> {
    const { graphId, workflow, name, labels, input, digest } = asked;
    const version = await this.#usable(workflow, input);
    const run: FileRunInput = { graphId, version, name, labels, input };
    const header: GraphHeader = {
      version: 1,
      graphId,
      name,
      labels: { ...labels },
      front: 'workflow',
      open: false,
      onFailure: 'finish',
      maxParallel: null,
      parent: null,
      retryOf: null,
      workflow,
      workflowVersion: version,
      timeRequest: utcWithoutOffset(preciseNow()),
      digest,
      ...currentTrace(),
    };
    const incoming = given ?? (await this.#documents.receive());
    const folder = dirname(incoming.inputs);
    try {
      await writeFile(join(folder, 'run.json'), JSON.stringify(run));
      if (await incoming.commit(header, [])) return { header, given: run };
    } finally {
      if (given === null) await rm(folder, { recursive: true, force: true });
    }
    // Somebody else was quicker with the same request.
    const first = await this.#repeated(asked);
    if (first === null) throw new EngineError('UNAVAILABLE', `graph ${graphId} is being deleted: come again`);
    return first;
  }

  /** The version that a new run gets, its input checked. */
  async #usable(name: string, input: unknown): Promise<string> {
    const { current, about } = await this.get(name);
    const [problem] = current.problems;
    if (problem !== undefined || about === null) {
      const why = problem === undefined ? 'it has not been bundled yet' : sentenceOf(problem);
      throw new EngineError('CONFLICT', `workflow "${name}" cannot be started: ${why}`);
    }
    if (about.input !== null) this.#checkInput(about, input);
    return about.version;
  }

  #checkInput({ name, version, input: schema }: VersionAbout, input: unknown): void {
    const key = `${name} ${version}`;
    let known = this.#schemas.get(key);
    if (known === undefined) {
      try {
        known = z.fromJSONSchema(schema as never);
      } catch {
        // A schema that only its author's library understands: the run itself checks the input.
        known = z.unknown();
      }
      this.#schemas.set(key, known);
    }
    const checked = known.safeParse(input);
    if (checked.success) return;
    const issues = checked.error.issues.map(({ path, message }) => `${['input', ...path].join('.')}: ${message}`);
    const field = ['input', ...(checked.error.issues[0]?.path ?? [])].join('.');
    throw new EngineError('BAD_REQUEST', `the input is not what workflow "${name}" takes: ${issues.join('; ')}`, {
      field,
    });
  }
}

function labelsOf({ name, workflow }: GraphHeader): Parameters<WorkflowFileEngine['start']>[1] {
  return { name, queue: '', process: workflow ?? '', front: 'workflow' };
}
