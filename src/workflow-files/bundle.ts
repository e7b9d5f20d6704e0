import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { createContext, Script } from 'node:vm';
import { type BundleOptions, bundleWorkflowCode } from '@temporalio/worker';
import { moduleFolders } from '../config/project-root.js';
import type { FileProblem } from '../contract/workflow-files.js';
import { docOf } from './doc-comment.js';
import { sourcePlaces } from './source-place.js';
import { syntaxError } from './syntax-error.js';

/**
 * One workflow file as one bundle, with the engine's helpers in it. What is wrong with the file is found here and told with
 * its place: what does not parse or resolve, what a workflow must not import or use, and what its own code throws.
 */

/** What a file has become. */
export type Bundled =
  | {
      readonly ok: true;
      readonly code: string;
      /** Of all that a run of it depends on. */
      readonly version: string;
      readonly doc: string | null;
      /** JSON Schema, or null. */
      readonly input: Record<string, unknown> | null;
      readonly sources: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly FileProblem[]; readonly sources: readonly string[] };

/** The name by which workflow files import the engine's helpers. */
const entryPoint = 'pixyz-temporal-scheduler/workflow';

/** Next to this module: the same tree, as sources or compiled. */
const own = (path: string): string => {
  const compiled = fileURLToPath(new URL(`../${path}.js`, import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/js$/, 'ts');
};

/** Modules that exist in workflows; what else Node has must stay outside. */
const harmless = new Set(['assert', 'url', 'util']);
const forbidden = new Set(builtinModules.filter((name) => !harmless.has(name) && !name.startsWith('_')));
const foreignToWorkflows = ['@temporalio/activity', '@temporalio/client', '@temporalio/worker', '@temporalio/testing'];

/** Names that a workflow has not, and what to do instead. */
const missingGlobals: Readonly<Record<string, string>> = {
  process: 'a workflow knows nothing of its process: give what it needs as input',
  fetch: 'a workflow reaches no network: do it in a task',
  Buffer: 'a workflow has no Buffer: use Uint8Array, or do it in a task',
  require: 'use import',
  __dirname: 'a workflow has no folder: give paths as input',
  __filename: 'a workflow has no folder: give paths as input',
  performance: 'use Date.now(), which is the same when the run is replayed',
  setInterval: 'use a loop with sleep()',
  WebSocket: 'a workflow reaches no network: do it in a task',
  XMLHttpRequest: 'a workflow reaches no network: do it in a task',
};

type WebpackConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];
type Plugin = NonNullable<WebpackConfig['plugins']>[number];

/**
 * @param folder of the workflow files
 * @param name of the workflow
 * @param file path below the folder
 * @param scripts hash of the Python scripts beside it: they belong to the version
 */
export async function bundleFile(folder: string, name: string, file: string, scripts: string): Promise<Bundled> {
  const path = join(folder, file);
  const findings = new Findings(folder);
  const place = await mkdtemp(join(tmpdir(), 'pixyz-workflow-'));
  try {
    const entry = join(place, 'entry.js');
    await writeFile(entry, entryOf(name, path));
    const { code } = await bundleWorkflowCode({
      workflowsPath: entry,
      logger: silent,
      webpackConfigHook: (config) => withOurs(config, folder, findings),
    });
    const found = await findings.problems();
    if (found.length > 0) return { ok: false, problems: found, sources: findings.sources };
    const described = describe(code, findings, file);
    if ('problem' in described) return { ok: false, problems: [described.problem], sources: findings.sources };
    const version = versionOf(code, basename(place), scripts);
    const doc = docOf(await readFile(path, 'utf8'));
    return { ok: true, code, version, doc, input: described.input, sources: findings.sources };
  } catch (error) {
    const found = await findings.problems();
    const whole = { file, line: null, column: null, message: firstLine(error) };
    return { ok: false, problems: found.length > 0 ? found : [whole], sources: findings.sources };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** The source map stays out: it tells of places of this machine. */
function versionOf(code: string, place: string, scripts: string): string {
  const [text = ''] = code.split('//# sourceMappingURL=data:');
  return createHash('sha256').update(text.replaceAll(place, '')).update(scripts).digest('hex').slice(0, 12);
}

/** `require`, so that nothing of the file runs before the SDK asks for its workflows. */
function entryOf(name: string, path: string): string {
  return [
    `const { serve, describe } = require(${JSON.stringify(own('workflow-sdk/serve'))});`,
    `const file = require(${JSON.stringify(path)});`,
    `exports[${JSON.stringify(name)}] = serve(${JSON.stringify(name)}, file);`,
    `exports.describeFile = () => describe(file);`,
  ].join('\n');
}

function withOurs(config: WebpackConfig, folder: string, findings: Findings): WebpackConfig {
  const resolve = config.resolve ?? {};
  return {
    ...config,
    // Modules are named by their way from here, so that the same sources give the same bundle wherever we were started.
    context: folder,
    resolve: {
      ...resolve,
      // Files of users lie anywhere: what they do not bring themselves (zod, Temporal) they get from here.
      modules: [...(resolve.modules ?? []), ...moduleFolders],
      alias: { ...(resolve.alias as Record<string, string>), [`${entryPoint}$`]: own('workflow-sdk/index') },
    },
    plugins: [...(config.plugins ?? []), findings.plugin],
  };
}

const quiet = (): void => undefined;
const silent = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

interface Loc {
  readonly start?: { readonly line: number; readonly column: number };
}

interface WebpackModule {
  readonly resource?: string;
  readonly dependencies: readonly { readonly request?: string }[];
}

interface WebpackError {
  readonly message: string;
  readonly module?: WebpackModule | null;
  readonly dependencies?: readonly { readonly request?: string }[];
}

/** The parts of webpack that are used here; its own types are not among our packages. */
interface Compiler {
  readonly hooks: {
    readonly normalModuleFactory?: unknown;
    readonly compilation: {
      tap(name: string, on: (one: unknown, two: { normalModuleFactory: Factory }) => void): void;
    };
    readonly done: { tap(name: string, on: (stats: Stats) => void): void };
  };
}

interface Factory {
  readonly hooks: {
    readonly parser: { for(type: string): { tap(name: string, on: (parser: Parser) => void): void } };
  };
}

interface Parser {
  readonly state: { readonly module: WebpackModule };
  readonly hooks: {
    readonly expression: { for(name: string): { tap(name: string, on: (at: { loc?: Loc }) => undefined): void } };
  };
}

interface Stats {
  readonly compilation: { readonly modules: Iterable<WebpackModule>; readonly errors: readonly WebpackError[] };
}

/** Collects what webpack sees of the user's own files. */
class Findings {
  readonly sources: string[] = [];
  readonly #folder: string;
  readonly #errors: WebpackError[] = [];
  readonly #imports: { readonly path: string; readonly request: string }[] = [];
  readonly #globals: { readonly path: string; readonly name: string }[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  get plugin(): Plugin {
    const apply = (compiler: Compiler): void => {
      compiler.hooks.compilation.tap('pixyz', (_, { normalModuleFactory }) => {
        for (const type of ['javascript/auto', 'javascript/esm', 'javascript/dynamic']) {
          normalModuleFactory.hooks.parser.for(type).tap('pixyz', (parser) => this.#watch(parser));
        }
      });
      compiler.hooks.done.tap('pixyz', ({ compilation }) => {
        this.#errors.push(...compilation.errors);
        for (const module of compilation.modules) this.#take(module);
      });
    };
    return { apply } as unknown as Plugin;
  }

  #watch(parser: Parser): void {
    for (const name of Object.keys(missingGlobals)) {
      parser.hooks.expression.for(name).tap('pixyz', () => {
        const path = parser.state.module.resource;
        if (this.isOwn(path)) this.#globals.push({ path, name });
        return undefined;
      });
    }
  }

  #take({ resource, dependencies }: WebpackModule): void {
    if (!this.isOwn(resource)) return;
    this.sources.push(this.nameOf(resource));
    for (const request of new Set(dependencies.map((one) => one.request)))
      if (request !== undefined && isForbidden(request)) this.#imports.push({ path: resource, request });
  }

  /** Written by the user: below the folder, and no package. */
  isOwn(path: string | undefined): path is string {
    return path?.startsWith(this.#folder + sep) === true && !path.includes(`${sep}node_modules${sep}`);
  }

  nameOf(path: string): string {
    return relative(this.#folder, path).split(sep).join('/');
  }

  async problems(): Promise<FileProblem[]> {
    const found: FileProblem[] = [];
    for (const { path, request } of this.#imports) {
      const why = `imports "${request}", which a workflow cannot have: it must decide the same again when it is replayed; do that in a task`;
      found.push({ file: this.nameOf(path), ...(await placeOf(path, quotedRequest(request))), message: why });
    }
    const seen = new Set<string>();
    for (const { path, name } of this.#globals) {
      if (seen.has(`${path} ${name}`)) continue;
      seen.add(`${path} ${name}`);
      const at = await placeOf(path, new RegExp(`(?<![\\w$.'"\`])${name.replace('$', '\\$')}(?![\\w$'"\`])`));
      found.push({ file: this.nameOf(path), ...at, message: `uses ${name}: ${missingGlobals[name]}` });
    }
    for (const error of this.#errors) {
      // Webpack says of a forbidden import once more that it cannot read it.
      const forbiddenOne = this.#imports.some(({ request }) => error.message.includes(`"${request}"`));
      if (!forbiddenOne) found.push(await this.#compileError(error));
    }
    return found.sort((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0));
  }

  async #compileError({ message, module }: WebpackError): Promise<FileProblem> {
    const path = module?.resource;
    const file = path === undefined ? '' : this.isOwn(path) ? this.nameOf(path) : path;
    const [, request] = /Can't resolve '([^']+)'/.exec(message) ?? [];
    if (request !== undefined && path !== undefined) {
      const at = await placeOf(path, quotedRequest(request));
      return { file, ...at, message: `imports "${request}", which cannot be found` };
    }
    const text = path === undefined ? '' : await readFile(path, 'utf8').catch(() => '');
    const { said, line, column } = syntaxError(stripVTControlCharacters(message), text);
    return { file, line, column, message: `does not compile: ${said}` };
  }
}

function isForbidden(request: string): boolean {
  const name = request.replace(/^node:/, '');
  return (
    forbidden.has(name) ||
    forbidden.has(name.split('/')[0] as string) ||
    foreignToWorkflows.some((module) => name === module || name.startsWith(`${module}/`))
  );
}

function quotedRequest(request: string): RegExp {
  return new RegExp(`['"\`]${request.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}['"\`]`);
}

/** What webpack sees has been through another compiler: places are looked for in the text as it was written. */
async function placeOf(path: string, what: RegExp): Promise<{ line: number | null; column: number | null }> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  for (const [at, line] of lines.entries()) {
    if (/^\s*(\/\/|\*|\/\*)/.test(line)) continue;
    const column = line.search(what);
    if (column >= 0) return { line: at + 1, column: column + 1 };
  }
  return { line: null, column: null };
}

/** Time that the code beside the function may take when the file is loaded. */
const loadMs = 2000;

/** Loads the bundle apart from everything, to ask the file what it is. */
function describe(
  code: string,
  findings: Findings,
  file: string,
): { readonly input: Record<string, unknown> | null } | { readonly problem: FileProblem } {
  const filename = 'workflow-bundle.js';
  const random = Math.random;
  const context = createContext({
    console: silent,
    TextEncoder,
    TextDecoder,
    URL,
    URLSearchParams,
    AbortController,
    __webpack_module_cache__: {},
    // The SDK's own clock and dice, which the code beside the function may ask already.
    __TEMPORAL_ACTIVATOR__: { now: Date.now(), random, info: {}, moduleCache: null },
  });
  try {
    new Script(code, { filename }).runInContext(context, { timeout: loadMs });
    const text = new Script('__TEMPORAL__.importWorkflows().describeFile()').runInContext(context, { timeout: loadMs });
    return JSON.parse(text as string) as { input: Record<string, unknown> | null };
  } catch (error) {
    return { problem: problemOf(error, code, filename, findings, file) };
  }
}

function problemOf(error: unknown, code: string, bundle: string, findings: Findings, file: string): FileProblem {
  const message = firstLine(error);
  const place = { file, line: null, column: null, message };
  const stack = (error as { stack?: unknown } | null)?.stack;
  if (typeof stack !== 'string') return place;
  const places = sourcePlaces(code);
  for (const [, at, column] of stack.matchAll(new RegExp(`${bundle}:(\\d+):(\\d+)`, 'g'))) {
    const found = places(Number(at), Number(column));
    if (found === null || !findings.isOwn(found.file)) continue;
    return { ...found, file: findings.nameOf(found.file), message: `cannot be loaded: ${message}` };
  }
  return place;
}

function firstLine(error: unknown): string {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  const text = String(message ?? error).split('\n')[0] as string;
  return typeof name !== 'string' || name === 'Error' || name === 'TypeError' ? text : `${name}: ${text}`;
}
