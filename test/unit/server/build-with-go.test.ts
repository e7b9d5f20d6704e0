import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { buildTemporal, goVersion } from '../../../src/server/build-with-go.js';
import { patchServer } from '../../../src/server/patched-server.js';
import { builtProgramsFolder, findTemporalPrograms } from '../../../src/server/temporal-programs.js';
import { setUpTools } from '../../support/set-up-tools.js';

/** A stand-in for Go: it "builds" programs that say a version, and notes what it was asked. */
const fakeGo = `#!/bin/sh
echo "$* | $GOFLAGS | $GOCACHE" >> "$GO_NOTES"
case $1 in
  env) [ "$2" = GOVERSION ] && echo go1.26.8 || printf 'https://proxy.example\\n/mods\\n' ;;
  list) [ "$2" = -m ] && { echo "$GO_SOURCES"; exit 0; }
    echo 'go: downloading x v1' >&2; echo x; echo y ;;
  build)
    while [ "$1" != -o ]; do shift; done
    [ -n "$GO_FAILS" ] && { echo 'x.go:1: no' >&2; exit 1; }
    printf '#!/bin/sh\\necho temporal version 1.32.1\\n' > "$2"; chmod +x "$2"
    mkdir -p "$GOCACHE" ;;
esac
`;

const moduleFolder = join(projectRoot, 'tools', 'temporal');

let folder: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-go-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'go'), fakeGo);
  chmodSync(join(folder, 'bin', 'go'), 0o755);
  writeSources('goSQLDriverName       = "sqlite"');
  env = {
    PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    GO_NOTES: join(folder, 'notes'),
    GO_SOURCES: join(folder, 'sources'),
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const plugin = 'common/persistence/sql/sqlplugin/sqlite';

/** The one file of the server's sources that is changed, read-only as in a module cache. */
function writeSources(driver: string): void {
  const place = join(folder, 'sources', plugin);
  rmSync(join(folder, 'sources'), { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'driver.go'), `const (\n\t${driver}\n)\n`, { mode: 0o444 });
  chmodSync(place, 0o555);
}

const cache = () => join(folder, 'cache');
const notes = () => readFileSync(join(folder, 'notes'), 'utf8');
const builds = () => notes().match(/^build /gm)?.length ?? 0;

test('three programs are built once, found afterwards, and leave no build cache behind', async () => {
  const programs = await buildTemporal(cache(), setUpTools(), env);
  expect(builds()).toBe(3);
  expect(notes()).toContain('-mod=readonly');
  expect(await findTemporalPrograms(cache(), { PATH: '' })).toEqual(programs);
  expect(readdirSync(join(cache(), 'temporal'))).toHaveLength(1);

  const again = setUpTools();
  await buildTemporal(cache(), again, env);
  expect(builds()).toBe(3);
  expect(again.steps).toEqual([]);
});

test('two set-ups at once build once', async () => {
  await Promise.all([1, 2].map(() => buildTemporal(cache(), setUpTools(), env)));
  expect(builds()).toBe(3);
});

test('a build that fails says what Go said, and is tried again the next time', async () => {
  await expect(buildTemporal(cache(), setUpTools(), { ...env, GO_FAILS: '1' })).rejects.toThrow(
    /building temporal-sql-tool failed \(exit code 1\)[^]*x\.go:1: no/,
  );
  expect(existsSync(builtProgramsFolder(cache()))).toBe(false);
  await buildTemporal(cache(), setUpTools(), env);
  expect(await findTemporalPrograms(cache(), { PATH: '' })).toMatchObject({ kind: 'server' });
});

test('what an interrupted set-up left is no hindrance', async () => {
  const destination = builtProgramsFolder(cache());
  mkdirSync(`${destination}.new`, { recursive: true });
  writeFileSync(join(`${destination}.new`, 'temporal-server'), 'half a program');
  mkdirSync(destination);
  writeFileSync(join(destination, 'temporal-server'), 'another half');
  await buildTemporal(cache(), setUpTools(), env);
  expect(await findTemporalPrograms(cache(), { PATH: '' })).toMatchObject({ kind: 'server' });
});

test('a build cache that the environment names is used, and kept', async () => {
  const named = join(folder, 'go-cache');
  await buildTemporal(cache(), setUpTools(), { ...env, GOCACHE: named });
  expect(notes()).toContain(`| ${named}`);
  expect(existsSync(named)).toBe(true);
});

test('the server is built from a copy whose statements stay prepared', () => {
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch);
  const modules = patchServer(moduleFolder, join(folder, 'sources'), scratch);
  expect(readFileSync(modules, 'utf8')).toContain(`replace go.temporal.io/server => "${join(scratch, 'server')}"`);
  expect(readFileSync(join(scratch, 'server', plugin, 'driver.go'), 'utf8')).toContain(
    'goSQLDriverName       = preparedDriverName',
  );
  expect(existsSync(join(scratch, 'server', plugin, 'prepared.go'))).toBe(true);
  expect(readFileSync(join(folder, 'sources', plugin, 'driver.go'), 'utf8')).toContain('= "sqlite"');
  rmSync(scratch, { recursive: true });
});

test('sources that the patch does not fit are refused', async () => {
  writeSources('goSQLDriverName = "another"');
  await expect(buildTemporal(cache(), setUpTools(), env)).rejects.toThrow('are not those that tools/temporal expects');
});

test('the version of Go is asked, and none is none', async () => {
  expect(await goVersion(env)).toBe('1.26.8');
  expect(await goVersion({ PATH: join(folder, 'nowhere') })).toBeNull();
});
