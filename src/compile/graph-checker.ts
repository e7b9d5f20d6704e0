import { join } from 'node:path';
import type { Inspection, ScriptInspector } from '../contract/inspection.js';
import type { RetryOptions } from '../graph/retry-policy.js';
import type { KnownFile } from '../store/graph-inputs.js';
import { type CompileFacts, entrypointOf, scriptKey, taskOf } from './compile.js';
import type { GraphDefaults } from './graph-request.js';
import { listProcesses } from './processes.js';
import type { AskedNode } from './read-request.js';
import { templateRules } from './template-rules.js';

/** What it is told by the configuration. */
export interface CheckerDeps {
  readonly options: RetryOptions & {
    /** Folder of the shipped processes. */
    readonly processPath: string;
  };
}

/** Looks up what the compiler must know of the world: processes, files, and what scripts say of themselves. */
export class GraphChecker {
  readonly #deps: CheckerDeps;
  readonly #inspector: ScriptInspector;

  constructor(deps: CheckerDeps, inspector: ScriptInspector) {
    this.#deps = deps;
    this.#inspector = inspector;
  }

  async facts(
    nodes: readonly AskedNode[],
    defaults: GraphDefaults,
    files: ReadonlyMap<string, KnownFile>,
    place: Pick<CompileFacts, 'known' | 'first'>,
  ): Promise<CompileFacts> {
    const { options } = this.#deps;
    const processes = new Set(await listProcesses(options.processPath));
    const uploads = new Map([...files].map(([name, { ref }]) => [name, ref]));
    const inspections = await this.#inspect(nodes, defaults, files, processes);
    return { processes, uploads, inspections, templates: templateRules, retry: options, ...place };
  }

  /** Every function that is called is looked at once, however many nodes call it. */
  async #inspect(
    nodes: readonly AskedNode[],
    defaults: GraphDefaults,
    files: ReadonlyMap<string, KnownFile>,
    processes: ReadonlySet<string>,
  ): Promise<Map<string, Inspection>> {
    const inspections = new Map<string, Inspection>();
    for (const { asked } of nodes) {
      const task = asked === null ? null : taskOf(asked, defaults);
      if (asked === null || task === null) continue;
      const entrypoint = entrypointOf(asked, defaults);
      const key = scriptKey(task, entrypoint);
      if (key === null || inspections.has(key)) continue;
      let path: string | undefined;
      if (task.kind === 'script') path = files.get(task.upload)?.path;
      else if (task.kind === 'process' && processes.has(task.process)) path = this.#processPath(task.process);
      if (path !== undefined) inspections.set(key, await this.#inspector.inspect(path, entrypoint));
    }
    return inspections;
  }

  #processPath(name: string): string {
    return join(this.#deps.options.processPath, `${name}.py`);
  }
}
