import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { jsonSchema } from '../contract/json.js';
import { EngineError } from '../errors/engine-error.js';

const timeoutMs = 10_000;

export const inspectionSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** Literal keyword arguments of the entrypoint's innermost `@pixyz_schedule(...)`. */
    settings: z.record(z.string(), jsonSchema),
    /** The cleaned docstring of the entrypoint; empty where it has none. */
    doc: z.string(),
  }),
  z.object({ ok: z.literal(false), problem: z.string() }),
]);
export type Inspection = z.infer<typeof inspectionSchema>;

export const docInspectionSchema = z.discriminatedUnion('ok', [
  /** `doc` is null where the script has no function `main`, and empty where that has no docstring. */
  z.object({ ok: z.literal(true), doc: z.string().nullable() }),
  z.object({ ok: z.literal(false), problem: z.string() }),
]);
export type DocInspection = z.infer<typeof docInspectionSchema>;

export interface ScriptInspectorOptions {
  readonly python: string;
  /** Folders that Python imports from: the project's `python/`. */
  readonly pythonPath: readonly string[];
  readonly timeoutMs?: number;
}

export interface ScriptInspector {
  /** What a script says of one of its functions. */
  inspect(path: string, entrypoint: string): Promise<Inspection>;
  /** The documentation of a script: that of its function `main`. */
  doc(path: string): Promise<DocInspection>;
  close(): Promise<void>;
}

/** Reads scripts with Python's own parser, in a helper that lives on and is started again when it dies. Runs no script. */
export function createScriptInspector(options: ScriptInspectorOptions): ScriptInspector {
  return new PythonScriptInspector(options);
}

type Helper = ChildProcessByStdio<Writable, Readable, null>;

interface Request {
  readonly line: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: EngineError) => void;
  /** Another helper died over it already. */
  repeated: boolean;
  timer: NodeJS.Timeout | null;
}

export class PythonScriptInspector implements ScriptInspector {
  readonly #options: ScriptInspectorOptions;
  readonly #waiting = new Map<number, Request>();
  #helper: Helper | null = null;
  #lastId = 0;
  #closed = false;

  constructor(options: ScriptInspectorOptions) {
    this.#options = options;
  }

  async inspect(path: string, entrypoint: string): Promise<Inspection> {
    return inspectionSchema.parse(await this.#ask({ path, entrypoint }));
  }

  async doc(path: string): Promise<DocInspection> {
    return docInspectionSchema.parse(await this.#ask({ kind: 'doc', path }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const helper = this.#helper;
    this.#failAll(new EngineError('UNAVAILABLE', 'the script inspector is closed'));
    if (helper === null) return;
    await new Promise<void>((resolve) => {
      helper.once('close', () => resolve());
      helper.kill('SIGKILL');
    });
  }

  #ask(question: object): Promise<unknown> {
    if (this.#closed) return Promise.reject(new EngineError('UNAVAILABLE', 'the script inspector is closed'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const line = `${JSON.stringify({ id, ...question })}\n`;
      this.#send(id, { line, resolve, reject, repeated: false, timer: null });
    });
  }

  #send(id: number, request: Request): void {
    this.#waiting.set(id, request);
    const limit = this.#options.timeoutMs ?? timeoutMs;
    request.timer = setTimeout(() => {
      this.#waiting.delete(id);
      request.reject(new EngineError('UNAVAILABLE', `Python did not read the script within ${limit / 1000} s`));
      // It answers in order, so whatever holds it up would hold up all others, too.
      this.#helper?.kill('SIGKILL');
    }, limit);
    this.#helper ??= this.#start();
    this.#helper.stdin.write(request.line);
  }

  #start(): Helper {
    const { python, pythonPath } = this.#options;
    const environment = { ...process.env, PYTHONPATH: pythonPath.join(delimiter) };
    const helper = spawn(python, ['-m', 'pixyz_worker._inspect'], {
      env: minimal(environment),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    helper.stdin.on('error', () => undefined); // its end is told by 'close'
    createInterface({ input: helper.stdout }).on('line', (line) => this.#receive(line));
    helper.once('error', (error) => {
      if (helper.pid !== undefined) return;
      this.#helper = null;
      this.#failAll(
        new EngineError('UNAVAILABLE', `Python cannot be started as "${python}" (${error.message}): check PYTHON`),
      );
    });
    helper.once('close', () => {
      if (this.#helper === helper) this.#helper = null;
      if (helper.pid !== undefined && !this.#closed) this.#onEnd();
    });
    return helper;
  }

  #receive(line: string): void {
    const answer = JSON.parse(line) as { id: number };
    const request = this.#settle(answer.id);
    request?.resolve(answer);
  }

  /** The helper died: with the first request that it had not answered, as far as can be known. Others are sent again. */
  #onEnd(): void {
    const open = [...this.#waiting];
    for (const [id, request] of open) {
      this.#settle(id);
      if (request.repeated) {
        request.resolve({ ok: false, problem: 'the script cannot be read: Python itself ended over it' });
      } else {
        request.repeated = request === open[0]?.[1];
        this.#send(id, request);
      }
    }
  }

  #settle(id: number): Request | undefined {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (request?.timer) clearTimeout(request.timer);
    return request;
  }

  #failAll(error: EngineError): void {
    // Settling takes the entry out, which a map's iterator allows.
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(error);
  }
}

/** The helper needs to find Python's own files and nothing else of the API's environment. */
function minimal(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'LANG', 'LD_LIBRARY_PATH', 'PYTHONPATH', 'SYSTEMROOT', 'VIRTUAL_ENV']) {
    const value = environment[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
