import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { entrypointOf, type JobSettings, readConfig, resolveSettings } from '../../compile/job-settings.js';
import { parseJson } from '../../compile/parse-json.js';
import { processScript } from '../../compile/processes.js';
import { jobIdOf } from '../../contract/ids.js';
import type { ScriptInspector } from '../../contract/inspection.js';
import type { FileRef, JobSpec } from '../../contract/job.js';
import { graphIdFromKey, newGraphId } from '../../contract/new-graph-id.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode } from '../../store/atomic.js';
import type { Files } from '../../store/files.js';
import type { IncomingJob } from '../../store/job-store.js';
import { currentTrace } from '../../telemetry/current-trace.js';
import type { ApiDeps, Request } from '../deps.js';
import { jobFormSchema } from '../schemas/job-request.js';
import { toldOfIgnored } from '../uploads/ignored-fields.js';
import { type ReceivedForm, receiveForm } from '../uploads/receive-form.js';
import { placeNames, safeName } from '../uploads/safe-name.js';
import { KeyedLock } from './keyed-lock.js';
import { singleJobGraph } from './single-job-graph.js';
import { mayHaveStarted } from './unknown-start.js';

/** A request that has passed every check; its files lie at their final names in the incoming folder. */
interface CheckedRequest {
  readonly name: string | null;
  readonly process: string;
  readonly paramsText: string;
  readonly settings: JobSettings;
  /** Relative to the inputs. */
  readonly dataName: string | null;
  readonly scriptName: string | null;
}

/**
 * From a request to a running job. Order matters:
 * 1. receive: the upload lies apart, as no job;
 * 2. check everything: a refused request leaves nothing behind, whatever it was refused for;
 * 3. commit: folder, spec and record appear at once;
 * 4. start the graph: when Temporal cannot be reached, the client is told to come again, and the job is taken back unless the
 *    client can ask for it again ({@link mayHaveStarted}).
 */
export class Submitter {
  readonly #deps: ApiDeps;
  readonly #inspector: ScriptInspector;
  readonly #lock = new KeyedLock();

  constructor(deps: ApiDeps, inspector: ScriptInspector) {
    this.#deps = deps;
    this.#inspector = inspector;
  }

  async submit(request: Request, idempotencyKey: string | null): Promise<JobSpec> {
    const { store, options } = this.#deps;
    const incoming = await this.#receive();
    try {
      const form = await receiveForm(request, incoming.inputs, {
        maxBytes: options.maxUploadBytes,
        hash: idempotencyKey !== null,
        files: store.files,
      });
      const checked = await this.#check(form, incoming.inputs);
      const graphId = idempotencyKey === null ? newGraphId() : graphIdFromKey(idempotencyKey);
      const spec = specOf(checked, graphId, idempotencyKey === null ? null : digestOf(form));
      if (idempotencyKey === null) {
        await incoming.commit(spec);
        await this.start(spec);
        return spec;
      }
      return await this.#lock.run(graphId, async () => {
        await this.#checkKeyIsFree(spec.jobId);
        if (await incoming.commit(spec)) {
          await this.start(spec);
          return spec;
        }
        return this.#repeated(spec, (await store.readSpec(spec.jobId)) ?? undefined);
      });
    } finally {
      await incoming.discard();
    }
  }

  /** Starts the graph of a committed job. On failure the job is taken back, unless a repeat of the request may find it. */
  async start(spec: JobSpec): Promise<void> {
    const { engine, store, options } = this.#deps;
    const { input, labels } = singleJobGraph(spec, options);
    try {
      await engine.startGraph(input, labels);
    } catch (error) {
      const hasKey = spec.digest !== null;
      if (!hasKey || !mayHaveStarted(error)) await store.remove(spec.jobId);
      throw error;
    }
  }

  /**
   * A graph id names one run for ever, and the key makes the graph id. Where the job was deleted and Temporal still knows
   * its run, nothing can be started under the key any more: the new job would wait without end.
   */
  async #checkKeyIsFree(jobId: string): Promise<void> {
    const { store, engine } = this.#deps;
    if ((await store.exists(jobId)) || (await engine.isOpen(jobId)) === null) return;
    throw new EngineError(
      'CONFLICT',
      'this Idempotency-Key was used for a job that has been deleted: use a new key for a new job',
    );
  }

  /** The same key again: the first job's answer, or a refusal when it is another request. */
  async #repeated(spec: JobSpec, first: JobSpec | undefined): Promise<JobSpec> {
    if (first === undefined || first.digest !== spec.digest) {
      throw new EngineError(
        'CONFLICT',
        'this Idempotency-Key was used for another request: use a new key for a new job',
      );
    }
    // The API may have died between commit and start, or never heard whether it worked; starting again changes nothing where the graph is known.
    const record = await this.#deps.store.readRecord(first.jobId);
    if (record !== null && record.status === 'PENDING') {
      const { input, labels } = singleJobGraph(first, this.#deps.options);
      await this.#deps.engine.startGraph(input, labels);
    }
    return first;
  }

  async #receive(): Promise<IncomingJob> {
    try {
      return await this.#deps.store.receive();
    } catch (error) {
      throw new EngineError('UNAVAILABLE', `the share cannot be written (${errorCode(error)})`, {}, { cause: error });
    }
  }

  async #check(received: ReceivedForm, inputs: string): Promise<CheckedRequest> {
    const form = jobFormSchema.parse(received.fields);
    const paramsText = form.params ?? '{}';
    parseJson('params', paramsText);
    const { dataName, scriptName } = await place(this.#deps.store.files, received, inputs);
    const script = await this.#scriptOf(form.process, scriptName, inputs, received.ignored);
    const config = readConfig(form.config === undefined ? {} : parseJson('config', form.config));
    const found = await this.#inspector.inspect(script, entrypointOf(config));
    if (!found.ok) throw new EngineError('BAD_REQUEST', found.problem);
    return {
      name: form.name ?? null,
      process: form.process,
      paramsText,
      settings: resolveSettings(config, found.settings),
      dataName,
      scriptName,
    };
  }

  async #scriptOf(
    process: string,
    scriptName: string | null,
    inputs: string,
    ignored: readonly string[],
  ): Promise<string> {
    if (process !== 'custom') return processScript(this.#deps.options.processPath, process);
    if (scriptName === null) {
      throw new EngineError(
        'BAD_REQUEST',
        `a custom job needs a script: send it as the file "script"${toldOfIgnored(ignored)}`,
      );
    }
    return join(inputs, scriptName);
  }
}

/** Moves the received files to the names that the script will see. */
async function place(
  files: Files,
  received: ReceivedForm,
  inputs: string,
): Promise<{ dataName: string | null; scriptName: string | null }> {
  const names = placeNames(
    received.file === null ? null : safeName(received.file.sentName, 'input'),
    received.script === null ? null : safeName(received.script.sentName, 'script.py'),
  );
  for (const [file, name] of [
    [received.file, names.data],
    [received.script, names.script],
  ] as const) {
    if (file === null || name === null) continue;
    const target = join(inputs, name);
    if (name.includes('/')) await files.makeFolder(dirname(target));
    await files.rename(file.path, target);
  }
  return { dataName: names.data, scriptName: names.script };
}

function specOf(checked: CheckedRequest, graphId: string, digest: string | null): JobSpec {
  const jobId = jobIdOf(graphId, 1);
  const { settings } = checked;
  const input = (name: string): FileRef => ({ share: `${jobId}/inputs/${name}` });
  return {
    version: 1,
    jobId,
    graphId,
    name: checked.name,
    process: checked.process,
    script:
      checked.process === 'custom' && checked.scriptName !== null
        ? input(checked.scriptName)
        : { process: checked.process },
    entrypoint: settings.entrypoint,
    data: checked.dataName === null ? null : input(checked.dataName),
    paramsText: checked.paramsText,
    queue: settings.queue,
    timeLimit: settings.timeLimit,
    rootFile: settings.rootFile,
    computeOnly: settings.computeOnly,
    raw: settings.raw,
    context: { ...settings.context },
    timeRequest: utcWithoutOffset(preciseNow()),
    callback: settings.callback,
    retryOf: null,
    dispatch: settings.dispatch,
    digest,
    ...currentTrace(),
  };
}

/** The same for the same request: every part, files by their content. */
function digestOf(form: ReceivedForm): string {
  const file = (part: ReceivedForm['file']) => (part === null ? null : [part.sentName, part.sizeBytes, part.sha256]);
  const { process, params, name, config } = form.fields;
  const parts = [process, params, name, config].map((text) => text ?? null);
  return createHash('sha256')
    .update(JSON.stringify([parts, file(form.file), file(form.script)]))
    .digest('hex');
}
