import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canBuildWith } from '../../../src/server/build-with-go.js';
import { downloadCli } from '../../../src/server/download-cli.js';
import { obtainTemporal } from '../../../src/server/obtain-temporal.js';
import { hasPrograms, publishPrograms } from '../../../src/server/program-cache.js';
import { cliFolder, findTemporalPrograms, sdkVersion } from '../../../src/server/temporal-programs.js';
import { setUpTools } from '../../support/set-up-tools.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(file: string, version: string): void {
  writeFileSync(file, `#!/bin/sh\necho "${version}"\n`);
  chmodSync(file, 0o755);
}

describe('programs in the cache', () => {
  const final = () => join(folder, 'final');
  const publish = async (text: string) => {
    mkdirSync(join(folder, 'new'));
    program(join(folder, 'new', 'tool'), text);
    await publishPrograms(join(folder, 'new'), final(), { tool: text });
  };

  test('are there when they are complete and unchanged', async () => {
    expect(await hasPrograms(final(), ['tool'])).toBe(false);
    await publish('tool 1');
    expect(await hasPrograms(final(), ['tool'])).toBe(true);
    expect(await hasPrograms(final(), ['tool', 'other'])).toBe(false);
  });

  test('are not taken when a byte of them changed, and are when only their time did', async () => {
    await publish('tool 1');
    utimesSync(join(final(), 'tool'), new Date(0), new Date(0));
    expect(await hasPrograms(final(), ['tool'])).toBe(true);
    program(join(final(), 'tool'), 'tool 2');
    expect(await hasPrograms(final(), ['tool'])).toBe(false);
  });

  test('replace what is broken, and leave what another set-up finished', async () => {
    mkdirSync(final());
    writeFileSync(join(final(), 'half'), '');
    await publish('tool 1');
    expect(readdirSync(final()).toSorted()).toEqual(['manifest.json', 'tool']);
    await publish('tool 2').catch(() => {});
    expect(execFileSync(join(final(), 'tool'), { encoding: 'utf8' })).toBe('tool 1\n');
  });
});

describe('programs on PATH', () => {
  const find = () => findTemporalPrograms(join(folder, 'cache'), { PATH: join(folder, 'bin') });
  beforeEach(() => mkdirSync(join(folder, 'bin')));

  test('none is none', async () => {
    expect(await find()).toBeNull();
  });

  test("Temporal's command-line program is used", async () => {
    program(join(folder, 'bin', 'temporal'), 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
    expect(await find()).toEqual({ kind: 'cli', cli: join(folder, 'bin', 'temporal') });
  });

  test('a server is preferred, with the tools that are beside it', async () => {
    program(join(folder, 'bin', 'temporal'), 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
    program(join(folder, 'bin', 'temporal-server'), 'temporal version 1.32.1');
    program(join(folder, 'bin', 'ui-server'), 'Temporal UI version 2.55.0');
    expect(await find()).toEqual({
      kind: 'server',
      server: join(folder, 'bin', 'temporal-server'),
      sqlTool: null,
      ui: join(folder, 'bin', 'ui-server'),
    });
  });

  test.each(['temporal version 1.20.0', 'another tool of that name', ''])(
    'one that says "%s" is too old or something else, and is left',
    async (version) => {
      program(join(folder, 'bin', 'temporal-server'), version);
      expect(await find()).toBeNull();
    },
  );
});

describe("the download of Temporal's command-line program", () => {
  let server: Server;
  let url: string;
  let archive: Buffer;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    mkdirSync(join(folder, 'pack'));
    program(join(folder, 'pack', 'temporal'), 'temporal version 1.9.0 (Server 1.32.0, UI 2.50.0)');
    archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'pack'), 'temporal']);
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url?.startsWith('/cli/default')) {
        response.end(JSON.stringify({ archiveUrl: `${url}/temporal.tar.gz`, fileToExtract: 'temporal' }));
      } else if (request.url === '/temporal.tar.gz') response.end(archive);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  test('lands in the cache, checked, and is found there the next time', async () => {
    const tools = setUpTools();
    const cli = join(cliFolder(folder, sdkVersion()), 'temporal');
    expect(await downloadCli(folder, tools, { baseUrl: url })).toEqual({ kind: 'cli', cli });
    expect(asked[0]).toMatch(/sdk-name=sdk-typescript&sdk-version=\d/);
    expect(tools.steps).toHaveLength(1);
    expect(await findTemporalPrograms(folder, { PATH: '' })).toEqual({ kind: 'cli', cli });
  });

  test('two at once download once', async () => {
    await Promise.all([1, 2].map(() => downloadCli(folder, setUpTools(), { baseUrl: url })));
    expect(asked.filter((path) => path === '/temporal.tar.gz')).toHaveLength(1);
  });

  test('an archive that is cut short leaves nothing behind', async () => {
    archive = archive.subarray(0, archive.length / 2);
    expect(await downloadCli(folder, setUpTools(), { baseUrl: url })).toBeNull();
    expect(existsSync(cliFolder(folder, sdkVersion()))).toBe(false);
    expect(readdirSync(join(folder, 'temporal'))).toEqual([]);
  });

  test('where nobody answers it is given up without a word', async () => {
    const tools = setUpTools();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await downloadCli(folder, tools, { baseUrl: url })).toBeNull();
    expect([...tools.said, ...tools.steps]).toEqual([]);
  });
});

test.each([
  ['1.26.8', true],
  ['1.21', true],
  ['1.20.14', false],
  [null, false],
])('Go %s can build the server: %s', (version, expected) => {
  expect(canBuildWith(version)).toBe(expected);
});

test('with an address given, no program is looked for', async () => {
  const settings = { TEMPORAL_ADDRESS: 'elsewhere:7233', PIXYZ_CACHE_PATH: folder };
  expect(await obtainTemporal(settings, setUpTools(), { PATH: '' })).toBeNull();
});
