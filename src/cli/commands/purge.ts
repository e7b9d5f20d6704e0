import type { JobState } from '../../client/index.js';
import type { Commands, Context } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { collect } from '../options.js';

interface PurgeFlags {
  readonly queue?: readonly string[];
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** Requests at a time: fast with thousands of jobs, and no burden for the API. */
const atOnce = 8;

/** `purge`: what waits in a queue is cancelled, what runs goes on. */
export function purgeCommand(commands: Commands): void {
  commands
    .add<PurgeFlags>(
      'purge',
      'cancel the jobs that wait in a queue; what runs goes on',
      (command) =>
        command
          .option('-q, --queue <name>', 'of this queue; may be given several times', collect(String))
          .option('--all', 'of every queue')
          .option('--yes', 'cancel them: without it they are only counted'),
      purge,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz purge -q gpu             how many would be cancelled\n  pixyz purge -q gpu --yes',
    );
}

async function purge(context: Context, { queue, all, yes }: PurgeFlags): Promise<number> {
  if ((queue === undefined) === (all !== true))
    throw new CliError('which queue (-q)? --all means every queue', exitCodes.usage);
  const { client, out } = context;
  const where = queue === undefined ? 'all queues' : queue.join(', ');
  const jobs = await waitingJobs(context, queue ?? [undefined]);
  if (yes !== true) {
    out.tell(
      { waiting: jobs.map(({ uuid }) => uuid), cancelled: [] },
      `${jobs.length} jobs wait in ${where}; --yes cancels them`,
    );
    return exitCodes.ok;
  }
  const cancelled: string[] = [];
  const problems: { readonly job: string; readonly problem: string }[] = [];
  const left = [...jobs];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let job = left.shift(); job !== undefined; job = left.shift()) {
        try {
          await client.jobs.cancel(job.uuid);
          cancelled.push(job.uuid);
        } catch (error) {
          problems.push({ job: job.uuid, problem: (error as Error).message });
        }
      }
    }),
  );
  for (const { job, problem } of problems) out.note(`${job}: ${problem}`);
  out.tell(
    { waiting: jobs.map(({ uuid }) => uuid), cancelled, problems },
    `${cancelled.length} of ${jobs.length} jobs that waited in ${where} cancelled`,
  );
  return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

async function waitingJobs({ client }: Context, queues: readonly (string | undefined)[]): Promise<JobState[]> {
  const jobs: JobState[] = [];
  for (const queue of queues) {
    let cursor: string | undefined;
    do {
      const page = await client.jobs.list({ status: ['PENDING', 'RETRY'], queue, cursor, limit: 1000 });
      jobs.push(...page.jobs);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }
  return jobs;
}
