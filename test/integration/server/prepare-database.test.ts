import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../../src/config/settings.js';
import { fullText, prepareDatabase } from '../../../src/server/prepare-database.js';
import { findTemporalPrograms } from '../../../src/server/temporal-programs.js';

/** Writes runs as the server does, and tells after each step which of them a search in the keyword lists finds. */
const probe = `
import json, sqlite3, sys
base = sqlite3.connect(sys.argv[1])
table = "executions_visibility"
index = f"{table}_fts_keyword_list"
def write(run, attributes):
    base.execute(
        f"INSERT INTO {table} (namespace_id, run_id, start_time, execution_time, workflow_id, workflow_type_name, status, encoding,"
        " search_attributes) VALUES ('n', ?, '2020', '2020', 'w', 't', 1, 'e', ?)"
        " ON CONFLICT (namespace_id, run_id) DO UPDATE SET search_attributes = excluded.search_attributes",
        (run, None if attributes is None else json.dumps(attributes)),
    )
def found():
    query = f"SELECT run_id FROM {table} WHERE rowid IN (SELECT rowid FROM {index} WHERE {index} MATCH 'KeywordList01:red') ORDER BY 1"
    steps.append([run for run, in base.execute(query)])
steps = []
write("a", None); write("b", {"KeywordList01": "♡red♡blue♡"}); found()
write("a", {"KeywordList01": "♡red♡"}); found()
write("b", {"KeywordList01": "♡blue♡"}); found()
write("b", {"KeywordList01": "♡red♡", "BuildIds": "♡1♡"}); write("a", None); found()
base.execute(f"DELETE FROM {table} WHERE run_id = 'b'"); found()
write("c", None); base.execute(f"DELETE FROM {table} WHERE run_id = 'c'")
columns = {name: [row[1] for row in base.execute(f"PRAGMA table_info({name})")] for name in json.loads(sys.argv[2])}
written = base.execute(f"SELECT count(*) FROM {index}_docsize").fetchone()[0]
print(json.dumps({"steps": steps, "columns": columns, "written": written}))
`;

test('the lean list of runs finds by keyword lists what the server’s own would, and has its columns', async () => {
  const programs = await findTemporalPrograms(readSettings(process.env, '.').PIXYZ_CACHE_PATH, process.env);
  if (programs?.kind !== 'server' || programs.sqlTool === null) return; // the server then makes its database itself
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-database-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'temporal.db');
  expect(await prepareDatabase(file, programs.sqlTool)).toBe(null);
  const python = process.env['PYTHON'] ?? 'python3';
  const { stdout } = await promisify(execFile)(python, ['-c', probe, file, JSON.stringify(Object.keys(fullText))]);
  expect(JSON.parse(stdout)).toEqual({
    steps: [['b'], ['a', 'b'], ['a'], ['b'], []],
    columns: fullText,
    written: 0,
  });
});
