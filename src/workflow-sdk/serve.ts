import { ApplicationFailure } from '@temporalio/common';
import { CancellationScope, CancelledFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { FileRunInput } from '../contract/workflow-files.js';
import { outcomeOf } from '../workflows/requests.js';
import { asJson } from './as-json.js';
import { FileRun } from './file-run.js';
import { setCurrentRun } from './run.js';

/** What a workflow file exports. */
export interface WorkflowFile {
  readonly default?: unknown;
  /** A schema by the [Standard Schema](https://standardschema.dev) interface (zod has it), or a JSON Schema. */
  readonly input?: unknown;
}

interface StandardSchema {
  readonly '~standard': {
    validate(value: unknown): Checked | Promise<Checked>;
    readonly jsonSchema?: { input(options: { target: string }): Record<string, unknown> };
  };
}

type Checked =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] }[] };

/** The workflow that Temporal runs for a file. */
export function serve(name: string, file: WorkflowFile): (given: FileRunInput) => Promise<unknown> {
  return async (given) => {
    const root = CancellationScope.current();
    return CancellationScope.nonCancellable(() => interpret(name, file, given, root));
  };
}

/** So long the function of a run that was cancelled may go on once its tasks have ended, to tidy up. Then it is not waited for. */
const grace = '10 seconds';

/** Larger results stay on the share only. */
const largestShownResult = 50_000;

const abandoned = Symbol('abandoned');

async function interpret(
  name: string,
  file: WorkflowFile,
  given: FileRunInput,
  root: CancellationScope,
): Promise<unknown> {
  const run = new FileRun(name, given);
  setCurrentRun(run);
  run.start(root);
  // A scope of its own, so that a cancel request reaches the timers and waits of the program, and not what the engine does.
  const scope = new CancellationScope({ cancellable: true, parent: CancellationScope.current() });
  void root.cancelRequested.catch(() => scope.cancel());
  let result: unknown;
  let text = '';
  let failure: { readonly error: unknown } | null = null;
  let isOver = false;
  // Its graph ends before the function does only where it was cancelled.
  const deaf = run.ended.then(() => (isOver ? undefined : sleep(grace))).then(() => abandoned);
  try {
    const program = scope.run(async () =>
      (file.default as (input: unknown) => unknown)(await inputOf(file, given.input)),
    );
    result = await Promise.race([program, deaf]);
    if (result === abandoned) throw new CancelledFailure('cancelled: its function did not heed it');
    if (result !== undefined) text = asJson(result, 'the result of the workflow');
  } catch (error) {
    failure = { error };
  } finally {
    isOver = true;
  }
  const isRevoked = run.isCancelled && (failure === null || isCancellation(failure.error));
  const outcome = isRevoked
    ? await run.ended
    : failure === null
      ? await run.succeeded(result)
      : await run.failed(failure.error);
  if (outcome.state === 'failed' && failure !== null) throw asFailure(failure.error, outcome.message);
  outcomeOf(outcome, root);
  return text.length > largestShownResult ? null : result;
}

/** Anything but a failure of Temporal would be taken for a fault of the worker, and tried again for ever. */
function asFailure(error: unknown, message: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const type = error instanceof CancelledFailure ? 'CANCELLED' : error instanceof Error ? error.name : 'Error';
  const failure = ApplicationFailure.nonRetryable(message, type);
  if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack;
  return failure;
}

async function inputOf({ input: schema }: WorkflowFile, given: unknown): Promise<unknown> {
  if (!isStandard(schema)) return given;
  const checked = await schema['~standard'].validate(given);
  if (checked.issues === undefined) return checked.value;
  const issues = checked.issues.map(({ path = [], message }) => `${path.map(partOf).join('.') || 'input'}: ${message}`);
  throw ApplicationFailure.nonRetryable(`the input is not what the workflow takes: ${issues.join('; ')}`, 'BAD_INPUT');
}

function partOf(part: unknown): string {
  return String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part);
}

function isStandard(schema: unknown): schema is StandardSchema {
  return (typeof schema === 'object' || typeof schema === 'function') && schema !== null && '~standard' in schema;
}

/** What a file says of itself, found out once, when it is bundled. @returns JSON @throws what its code throws */
export function describe(file: WorkflowFile): string {
  if (typeof file.default !== 'function')
    throw new TypeError('has no default export that is a function: `export default async function (input) { … }`');
  const { input } = file;
  if (input === undefined) return JSON.stringify({ input: null });
  if (isStandard(input)) {
    const { jsonSchema } = input['~standard'];
    return JSON.stringify({ input: jsonSchema?.input({ target: 'draft-2020-12' }) ?? {} });
  }
  if (typeof input === 'object' && input !== null) return JSON.stringify({ input });
  throw new TypeError('exports an `input` that is no schema: a zod schema, or a JSON Schema as an object');
}
