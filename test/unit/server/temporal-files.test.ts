import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { searchAttributes } from '../../../src/engine/search-attributes.js';
import { cliArguments } from '../../../src/server/cli-arguments.js';
import { dynamicConfigFile, readDynamicConfig } from '../../../src/server/dynamic-config.js';
import { type SqliteStore, temporalConfig } from '../../../src/server/temporal-config.js';
import { serverVersion } from '../../../src/server/temporal-programs.js';

const ports = {
  frontend: 1,
  frontendHttp: 2,
  frontendMembership: 3,
  history: 4,
  historyMembership: 5,
  matching: 6,
  matchingMembership: 7,
  worker: 8,
  workerMembership: 9,
};
const config = (store: SqliteStore) =>
  temporalConfig({
    ports,
    host: '127.0.0.1',
    store,
    dynamicConfigFile: '/d.yaml',
    logLevel: 'warn',
    metricsAddress: null,
  });

describe('the configuration of the server', () => {
  test('no service listens beyond this machine', () => {
    const { services, global } = config({ file: '/t.db', sync: 'normal' }) as {
      services: Record<string, { rpc: { bindOnIP: string } }>;
      global: { membership: { broadcastAddress: string } };
    };
    for (const { rpc } of Object.values(services)) expect(rpc.bindOnIP).toBe('127.0.0.1');
    expect(global.membership.broadcastAddress).toBe('127.0.0.1');
  });

  test.each([
    ['normal', '1'],
    ['full', '2'],
  ] as const)('TEMPORAL_SYNC=%s is the synchronous pragma of SQLite, with a write-ahead log', (sync, pragma) => {
    const { persistence } = config({ file: '/t.db', sync });
    expect(persistence).toMatchObject({
      datastores: { default: { sql: { connectAttributes: { journal_mode: 'wal', synchronous: pragma } } } },
    });
  });
});

describe('the dynamic configuration', () => {
  test('of the project can be handed to the command-line program, value by value', () => {
    const values = readDynamicConfig(readFileSync(dynamicConfigFile, 'utf8'));
    expect(values.get('history.transferProcessorMaxPollRPS')).toBe('5000');
    for (const value of values.values()) expect(() => JSON.parse(value)).not.toThrow();
    const args = cliArguments({ host: '127.0.0.1', port: 1, uiPort: null, dbFile: '/t.db', namespace: 'n' });
    expect(args.filter((arg) => arg === '--dynamic-config-value')).toHaveLength(values.size);
    expect(args.filter((arg) => arg === '--search-attribute')).toHaveLength(Object.keys(searchAttributes).length);
    expect(args).toContain('--headless');
  });

  test('a line that it cannot hand over is refused, not dropped', () => {
    expect(() => readDynamicConfig('a.b:\n  - value: 1\n    constraints: {}\n')).toThrow(/line 3/);
    expect(() => readDynamicConfig('a.b:\n  - value: 1\n  - value: 2\n')).toThrow(/line 3/);
  });
});

test.each([
  ['temporal version 1.32.1', [1, 32]],
  ['temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', [1, 29]],
  ['temporal version 0.0.0-DEV (Server v1.31.0, UI 2.49.1)', [1, 31]],
  ['something else 1.2', null],
])('%s is server %j', (text, version) => {
  expect(serverVersion(text)).toEqual(version);
});
