import type { JobDetails, JobRequest } from '../client/index.js';
import type { Context } from './context.js';
import { CliError, exitCodeOfJob, exitCodes } from './exit-codes.js';
import { jsonOption } from './options.js';
import { transferBar } from './transfer.js';
import { endLines, watchJobs } from './watch-jobs.js';

/** The flags that `exec` and `process` share with the models' commands. */
export interface SubmitFlags {
  readonly input?: string;
  readonly params?: string;
  readonly entrypoint?: string;
  readonly queue?: string;
  readonly limit?: number;
  readonly alias?: string;
  readonly config?: string;
  readonly watch?: boolean;
  readonly result?: boolean;
  readonly batch?: boolean;
}

/** Only what was given: what was not is the decorator's to say. A flag of its own wins over the same key of `--config`. */
export function configOf({ entrypoint, queue, limit, config }: SubmitFlags): Record<string, unknown> {
  const given = config === undefined ? {} : jsonOption('-c', config);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new CliError(`-c is no JSON object: write it like '{"retries": 0}'`, exitCodes.usage);
  return {
    ...given,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(queue === undefined ? {} : { queue }),
    ...(limit === undefined ? {} : { time_limit: limit }),
  };
}

function banner(
  { process, params, config }: JobRequest,
  { script, input, watch }: SubmitFlags & { readonly script?: string },
): string {
  return [
    '',
    '-------- New PixyzScheduler Job ---------',
    script === undefined ? `- process:  '${process}'` : `- script file:  '${script}'`,
    ...(input === undefined ? [] : [`-  input file:  '${input}'`]),
    `- script params:  ${JSON.stringify(params)}`,
    `- worker config:  ${JSON.stringify(config)}`,
    ...(watch === true ? ['-  watch status:  True'] : []),
    '-----------------------------------------',
    '',
  ].join('\n');
}

export async function upload(context: Context, request: JobRequest): Promise<string> {
  const { client, shell } = context;
  const transfer = transferBar(context, 'Uploading', false);
  try {
    const { onProgress } = transfer;
    return (await client.jobs.submit(request, { onProgress, signal: shell.stop })).uuid;
  } finally {
    transfer.done();
  }
}

/** Sends a job, and watches it where that is asked for. In batch mode standard output has the id and nothing else. */
export async function submitJob(
  context: Context,
  request: JobRequest,
  flags: SubmitFlags & { readonly script?: string },
  words: { readonly submitted: string; readonly completed: string | null },
): Promise<number> {
  const { out } = context;
  const { watch = false, result = false, batch = false } = flags;
  const talks = !batch && !out.json;
  if (talks) out.print(banner(request, flags));
  const id = await upload(context, request);
  if (talks) out.print(`Job [ ${id} ] ${words.submitted}`);
  else if (!out.json) out.print(id);
  if (!watch) {
    if (out.json) out.value(await context.client.jobs.state(id));
    return 0;
  }
  const [details] = (await watchJobs(context, [id])) as [JobDetails];
  if (out.json) {
    out.value(details);
  } else {
    if (talks) out.print(endLines(details));
    else if (details.error !== null) out.note(`Error: ${details.error.trimEnd()}`);
    if (talks && words.completed !== null) out.print(`Job [ ${id} ] ${words.completed}`);
    if (result || (talks && words.completed !== null)) out.value(details);
  }
  return exitCodeOfJob(details.status);
}
