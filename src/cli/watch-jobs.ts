import { hasEnded, type JobDetails } from '../client/index.js';
import type { Context } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { bar, durationText, widthOf } from './output.js';

/** `Job [ … ] progress: 025, status: RUNNING (decimating)` */
export function jobLine({ uuid, progress, status, steps }: JobDetails): string {
  // The running step; the original told the last but one, which is the one that has ended.
  const info = steps?.at(-1)?.info;
  return `Job [ ${uuid} ] progress: ${String(progress ?? 0).padStart(3, '0')}, status: ${status}${info === undefined ? '' : ` (${info})`}`;
}

/**
 * Waits for the ends of jobs: a live line for each that runs, and a lasting one at its end.
 * @param lasting told at each end; nothing by default
 */
export async function watchJobs(
  context: Context,
  ids: readonly string[],
  lasting: (details: JobDetails) => void = () => undefined,
): Promise<JobDetails[]> {
  const { client, live, shell, out } = context;
  const now = new Map<string, JobDetails>();
  const began = performance.now();
  const draw = () =>
    live.draw(
      [...now.values()]
        .filter(({ status }) => !hasEnded(status))
        .map((details) => liveLine(details, elapsed(began), live.columns)),
    );
  // The time goes on between two changes.
  const timer = setInterval(draw, 1000);
  try {
    return await Promise.all(
      ids.map(async (id) => {
        let lost = false;
        const onLost = (error: Error) => {
          if (!lost) out.note(`${error.message}; trying again …`);
          lost = true;
        };
        for await (const details of client.jobs.watch(id, { signal: shell.stop, onLost })) {
          lost = false;
          now.set(id, details);
          draw();
        }
        const last = now.get(id);
        if (last === undefined || !hasEnded(last.status))
          throw new CliError(`job ${id} was deleted before it had ended`);
        live.clear();
        lasting(last);
        draw();
        return last;
      }),
    );
  } catch (error) {
    if (!shell.stop.aborted) throw error;
    live.clear();
    out.note(
      `not watching any more; ${ids.length === 1 ? 'the job goes' : 'the jobs go'} on: pixyz status -w ${ids.join(' ')}`,
    );
    throw new CliError('', exitCodes.interrupted);
  } finally {
    clearInterval(timer);
    live.clear();
  }
}

/** Of a job that runs: on a terminal that is not wide enough for it, the beginning of its id is enough. */
export function liveLine(details: JobDetails, time: string, columns: number): string {
  const progress = bar((details.progress ?? 0) / 100, 10);
  const line = `${jobLine(details)} ${progress} ${time}${reason(details)}`;
  if (widthOf(line) <= columns) return line;
  const { uuid, status, steps } = details;
  const step = steps?.at(-1)?.info;
  // The step comes last, as it may be long.
  return `${uuid.slice(0, 8)} ${progress} ${status} ${time}${step === undefined ? '' : ` ${step}`}${reason(details)}`;
}

/** What stays on the screen of a watched job. */
export function endLines(details: JobDetails): string {
  return details.error === null ? jobLine(details) : `${jobLine(details)}\nError: ${details.error.trimEnd()}`;
}

const elapsed = (since: number) => durationText((performance.now() - since) / 1000);
const reason = ({ waiting }: JobDetails) => (waiting === null ? '' : `: ${waiting}`);
