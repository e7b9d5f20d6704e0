/**
 * What `pixyz` ends with. Those of watched jobs are the table of the Celery-based scheduler's batch mode, here in every mode:
 * a shell script must not go on after a failure because a flag was forgotten.
 */
export const exitCodes = {
  ok: 0,
  /** The API refused, could not be reached, or a file could not be read or written. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  interrupted: 130,
} as const;

const ofStatus: Readonly<Record<string, number>> = {
  SUCCESS: 0,
  FAILURE: 10,
  REVOKED: 11,
  RETRY: 12,
  PENDING: 13,
  STARTED: 14,
  RECEIVED: 15,
  REJECTED: 16,
};

export function exitCodeOfJob(status: string): number {
  return ofStatus[status] ?? 17;
}

/** Of several jobs: that of the first which did not succeed. */
export function exitCodeOfJobs(statuses: readonly string[]): number {
  return statuses.map(exitCodeOfJob).find((code) => code !== 0) ?? 0;
}

const ofGraph: Readonly<Record<string, number>> = { succeeded: 0, failed: 10, revoked: 11, pending: 13 };

export function exitCodeOfGraph(state: string): number {
  return ofGraph[state] ?? 17;
}

/** Something that the user can put right: shown as a sentence. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
