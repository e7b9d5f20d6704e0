import type { Command } from 'commander';
import type { JobDetails, JobQuery, JobState } from '../../client/index.js';
import type { Commands, Context } from '../context.js';
import { exitCodeOfJob, exitCodeOfJobs } from '../exit-codes.js';
import { collect, idsOf, oneId, wholeNumber } from '../options.js';
import { type Colour, durationText, table } from '../output.js';
import { endLines, watchJobs } from '../watch-jobs.js';

interface JobFlag {
  readonly jobid?: string;
}

export const withJob = (command: Command) => command.option('-j, --jobid <id>', 'id of the job');

export function jobCommands(commands: Commands): void {
  commands
    .add<ListFlags>(
      'jobs',
      'list jobs, newest first',
      (command) =>
        command
          .option('--status <status>', 'only in this state; may be given several times', collect(String))
          .option('-q, --queue <name>', 'only of this queue')
          .option('-n, --name <name>', 'only with this display name')
          .option('--name-contains <text>', 'only with this in the display name, in either case')
          .option('--process <name>', 'only of this process')
          .option('--since <time>', 'requested at or after this time, such as 2026-11-21T10:00:00Z')
          .option('--until <time>', 'requested before this time')
          .option('--limit <number>', 'at most so many', wholeNumber),
      listJobs,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz jobs --status FAILURE --since 2026-11-21\n  pixyz jobs --json | jq -r .jobs[].uuid',
    );

  commands.add<JobFlag & { readonly watch?: boolean }>(
    'status [jobs...]',
    'state of jobs; with -w until they have ended',
    (command) => withJob(command).option('-w, --watch', 'wait for the end'),
    async (context, flags, ...words) => {
      const ids = idsOf(flags, words);
      if (flags.watch !== true) return show(context, ids);
      const { out } = context;
      const lasting = (details: JobDetails) => out.forPeople && out.print(endLines(details));
      const details = await watchJobs(context, ids, lasting);
      if (!out.forPeople) out.value(details.length === 1 ? details[0] : details);
      return exitCodeOfJobs(details.map(({ status }) => status));
    },
  );

  commands.add<JobFlag>(
    'details [jobs...]',
    'everything known of jobs',
    withJob,
    async ({ client, out }, flags, ...words) => {
      const details = await Promise.all(idsOf(flags, words).map((id) => client.jobs.details(id)));
      out.value(details.length === 1 ? details[0] : details);
      return 0;
    },
  );

  commands
    .add<JobFlag>(
      'result [job]',
      'what a job has returned; waits for its end, which is the exit code',
      withJob,
      async (context, flags, ...words) => {
        const { out } = context;
        const [details] = (await watchJobs(context, [oneId(flags, words)])) as [JobDetails];
        if (details.status === 'SUCCESS') out.value(details.result);
        else out.note(details.error?.trimEnd() ?? `the job is ${details.status}: ${String(details.result)}`);
        return exitCodeOfJob(details.status);
      },
    )
    .addHelpText('after', '\nExample:\n  pixyz result $(pixyz exec -s my_script.py -b)');

  commands.add<JobFlag>('cancel [jobs...]', 'stop jobs', withJob, (context, flags, ...words) =>
    each(
      context,
      idsOf(flags, words),
      (id) => context.client.jobs.cancel(id),
      (id) => `Job [ ${id} ] cancelled`,
    ),
  );

  commands.add<JobFlag>('retry [jobs...]', 'run ended jobs again, as new jobs', withJob, (context, flags, ...words) =>
    each(
      context,
      idsOf(flags, words),
      (id) => context.client.jobs.retry(id),
      (id, { uuid }) => `Job [ ${uuid} ] started, a retry of ${id}`,
    ),
  );

  commands.add<JobFlag>('rm [jobs...]', 'remove ended jobs with all their files', withJob, (context, flags, ...words) =>
    each(
      context,
      idsOf(flags, words),
      (id) => context.client.jobs.delete(id),
      (id) => `Job [ ${id} ] removed`,
    ),
  );
}

interface ListFlags {
  readonly status?: JobQuery['status'];
  readonly queue?: string;
  readonly name?: string;
  readonly nameContains?: string;
  readonly process?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
}

const pageSize = 1000;

async function listJobs({ client, out }: Context, flags: ListFlags): Promise<number> {
  const { limit = pageSize, ...query } = flags;
  const jobs: JobState[] = [];
  let next: string | null = null;
  do {
    const page = await client.jobs.list({
      ...pick(query),
      limit: Math.min(pageSize, limit - jobs.length),
      ...(next === null ? {} : { cursor: next }),
    });
    jobs.push(...page.jobs);
    next = page.next;
  } while (next !== null && jobs.length < limit);
  out.show({ jobs, next }, () =>
    table(
      ['JOB', 'STATUS', '%', 'NAME', 'ERROR'],
      jobs.map(({ uuid, status, progress, name, error }) => [
        uuid,
        out.paint(statusColour(status), status),
        progress === null ? '' : String(progress),
        name ?? '',
        error ?? '',
      ]),
    ),
  );
  return 0;
}

/** The flags of every command are among the options: only those of the query are sent. */
function pick({ status, queue, name, nameContains, process, since, until }: ListFlags): JobQuery {
  return { status, queue, name, name_contains: nameContains, process, since, until };
}

async function show({ client, out }: Context, ids: readonly string[]): Promise<number> {
  const all = await Promise.all(ids.map((id) => client.jobs.details(id)));
  out.show(all.length === 1 ? all[0] : all, () =>
    all.map((details) => factsOf(details, out.paint.bind(out))).join('\n\n'),
  );
  return 0;
}

function factsOf(details: JobDetails, paint: (colour: Colour, text: string) => string): string {
  const { uuid, name, status, progress, queue, process, attempts, time_info, waiting, error, links } = details;
  const { started, stopped } = time_info;
  const ran = started === null ? null : (Date.parse(stopped ?? new Date().toISOString()) - Date.parse(started)) / 1000;
  const step = details.steps?.at(-1)?.info;
  const facts: [string, string | null][] = [
    ['job', name === null ? uuid : `${uuid}  ${name}`],
    [
      'status',
      paint(statusColour(status), status) + (progress === null ? '' : `  ${progress} %`) + (step ? `  ${step}` : ''),
    ],
    ['process', process === null ? null : `${process} on ${queue}, attempt ${Math.max(1, attempts.length)}`],
    ['time', ran === null ? null : durationText(ran)],
    ['waits', waiting],
    ['result', details.result === null || status !== 'SUCCESS' ? null : JSON.stringify(details.result)],
    ['error', error],
    ['trace', links['temporal'] ?? null],
  ];
  return facts
    .filter((fact): fact is [string, string] => fact[1] !== null)
    .map(([label, text]) => `${label.padEnd(8)} ${text.trimEnd().replaceAll('\n', `\n${' '.repeat(9)}`)}`)
    .join('\n');
}

export function statusColour(status: string): Colour {
  switch (status.toLowerCase()) {
    case 'success':
    case 'succeeded':
      return 'green';
    case 'failure':
    case 'failed':
      return 'red';
    case 'running':
    case 'started':
      return 'cyan';
    case 'revoked':
    case 'retry':
    case 'paused':
      return 'yellow';
    default:
      return 'gray';
  }
}

/** One after the other, and on after a refusal: the exit code tells that there was one. */
export async function each<T>(
  { out }: Context,
  ids: readonly string[],
  work: (id: string) => Promise<T>,
  sentence: (id: string, answer: T) => string,
): Promise<number> {
  const answers: T[] = [];
  let code = 0;
  for (const id of ids) {
    try {
      const answer = await work(id);
      answers.push(answer);
      if (!out.json) out.print(sentence(id, answer));
    } catch (error) {
      if (ids.length === 1) throw error;
      code = 1;
      out.note(`${id}: ${(error as Error).message}`);
    }
  }
  if (out.json) out.value(ids.length === 1 ? answers[0] : answers);
  return code;
}
