import { execFile } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * Makes the SQLite file of an embedded server, leaner than the server would: its list of runs carries 58 indexes, one for
 * each attribute that somebody might search by, and every run is written to that list three times. Without those that
 * nobody here searches by, a run costs a fifth less CPU. An index changes what a search costs, never what it finds.
 *
 * Each write also went into two full-text indexes, of attributes that hardly a run has. They are written where there is
 * something to find: `fullText` has the server's own columns, and triggers that do the same for such runs.
 *
 * The schema is the server's own: its SQL tool makes it when it connects, and then runs our file.
 */

const dropped = [
  'by_execution_time',
  'by_task_queue',
  'by_parent_workflow_id',
  'by_history_length',
  'by_history_size_bytes',
  'by_execution_duration',
  'by_state_transition_count',
  'by_parent_run_id',
  'by_root_workflow_id',
  'by_root_run_id',
  'by_batcher_user',
  'by_temporal_scheduled_start_time',
  'by_temporal_scheduled_by_id',
  'by_temporal_schedule_paused',
  'by_temporal_pause_info',
  'by_temporal_worker_deployment_version',
  'by_temporal_workflow_versioning_behavior',
  'by_temporal_worker_deployment',
  ...numbered('by_bool_', 1, 3),
  ...numbered('by_datetime_', 1, 3),
  ...numbered('by_double_', 1, 3),
  ...numbered('by_int_', 1, 3),
  // The first five hold our own search attributes.
  ...numbered('by_keyword_', 6, 10),
  ...numbered('by_temporal_bool_', 1, 2),
  ...numbered('by_temporal_datetime_', 1, 2),
  ...numbered('by_temporal_double_', 1, 2),
  ...numbered('by_temporal_int_', 1, 2),
  ...numbered('by_temporal_keyword_', 1, 4),
  'by_temporal_low_cardinality_keyword_01',
];

/** The full-text indexes, and the columns that they hold, in their order. */
export const fullText = {
  executions_visibility_fts_text: numbered('Text', 1, 3),
  executions_visibility_fts_keyword_list: [
    'TemporalChangeVersion',
    'BinaryChecksums',
    'BuildIds',
    'TemporalPauseInfo',
    'TemporalReportedProblems',
    'TemporalUsedWorkerDeploymentVersions',
    ...numbered('KeywordList', 1, 3),
    ...numbered('TemporalKeywordList', 1, 2),
  ],
};

const events = { insert: ['NEW'], delete: ['OLD'], update: ['OLD', 'NEW'] } as const;

/** The server's three triggers have a name each for both indexes; ours are one for each event and index. */
function leanTriggers(): string[] {
  const theirs = ['ai', 'ad', 'au'].map((name) => `DROP TRIGGER executions_visibility_${name}`);
  const ours = Object.entries(fullText).flatMap(([index, columns]) => {
    const of = (row: string) => columns.map((column) => `${row}.${column}`).join(', ');
    const hasSome = (row: string) => `COALESCE(${of(row)}) IS NOT NULL`;
    const change = {
      OLD: `INSERT INTO ${index} (${index}, rowid, ${columns.join(', ')}) SELECT 'delete', OLD.rowid, ${of('OLD')} WHERE ${hasSome('OLD')}`,
      NEW: `INSERT INTO ${index} (rowid, ${columns.join(', ')}) SELECT NEW.rowid, ${of('NEW')} WHERE ${hasSome('NEW')}`,
    };
    return Object.entries(events).map(
      ([event, rows]) =>
        `CREATE TRIGGER ${index}_${event} AFTER ${event} ON executions_visibility WHEN ${rows.map(hasSome).join(' OR ')} ` +
        `BEGIN ${rows.map((row) => `${change[row]}; `).join('')}END`,
    );
  });
  return [...theirs, ...ours];
}

function numbered(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `${name}${String(from + at).padStart(2, '0')}`);
}

/**
 * Makes the file when it is not there; forgets the members of the cluster when it is. A server that was killed leaves
 * itself among them for 20 seconds, and the next one first waits for it to join, half a minute long.
 * Gives the reason when that could not be done: the server then does without, and all that is lost is time.
 */
export async function prepareDatabase(dbFile: string, sqlTool: string): Promise<string | null> {
  if (existsSync(dbFile)) return execute(dbFile, ['DELETE FROM cluster_membership'], sqlTool);
  const fresh = `${dbFile}.new`;
  rmSync(fresh, { force: true });
  const reason = await execute(fresh, [...dropped.map((name) => `DROP INDEX ${name}`), ...leanTriggers()], sqlTool);
  if (reason === null) renameSync(fresh, dbFile);
  else rmSync(fresh, { force: true });
  return reason;
}

/** Not in WAL mode, unless the file already is: the tool leaves what it wrote in the log, and the new file is to be renamed. */
async function execute(file: string, statements: readonly string[], sqlTool: string): Promise<string | null> {
  const script = `${file}.sql`;
  try {
    // No IF EXISTS: the tool takes an "if" for the beginning of a block.
    writeFileSync(script, statements.map((statement) => `${statement};\n`).join(''));
    await promisify(execFile)(
      sqlTool,
      [
        '--plugin',
        'sqlite',
        '--database',
        file,
        '--connect-attributes',
        'setup=true',
        'setup-schema',
        '--disable-versioning',
        '--schema-file',
        script,
      ],
      { timeout: 30_000 },
    );
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(script, { force: true });
  }
}
