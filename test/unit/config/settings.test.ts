import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configFileCandidates, loadSettings, readSettings, SettingsError } from '../../../src/config/settings.js';

const read = (values: Record<string, string>) => readSettings(values, '/work');

describe('where settings come from', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pixyz-settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string) => writeFileSync(join(folder, 'pixyz-scheduler.conf'), text);

  test('the environment wins over the file, and the file over the default', () => {
    file('API_PORT=9001\nTEMPORAL_PORT=9002\n');
    const settings = loadSettings({ API_PORT: '9003' }, folder);
    expect(settings).toMatchObject({ API_PORT: 9003, TEMPORAL_PORT: 9002, TEMPORAL_UI_PORT: 8233 });
    expect(settings.configFile).toBe(join(folder, 'pixyz-scheduler.conf'));
  });

  test('an empty variable of the environment does not hide what the file says', () => {
    file('LICENSE_HOST=license.example.com\n');
    expect(loadSettings({ LICENSE_HOST: ' ' }, folder).LICENSE_HOST).toBe('license.example.com');
  });

  test('quotes and comments are allowed in the file', () => {
    file('# a comment\nLICENSE_HOST="license.example.com" # another\nQUEUE_NAME=\'cpu,wine\'\n');
    expect(loadSettings({}, folder)).toMatchObject({
      LICENSE_HOST: 'license.example.com',
      QUEUE_NAME: ['cpu', 'wine'],
    });
  });

  test('the current folder comes before the one of the system', () => {
    expect(configFileCandidates('/here', {}, 'linux')).toEqual([
      '/here/pixyz-scheduler.conf',
      '/etc/pixyz-scheduler.conf',
    ]);
  });

  test("Windows looks in the user's folder, then in the one of all users", () => {
    mkdirSync(join(folder, 'app', 'PixyzSDK'), { recursive: true });
    mkdirSync(join(folder, 'all', 'PixyzSDK'), { recursive: true });
    writeFileSync(join(folder, 'app', 'PixyzSDK', 'pixyz-scheduler.conf'), 'API_PORT=9004\n');
    writeFileSync(join(folder, 'all', 'PixyzSDK', 'pixyz-scheduler.conf'), 'API_PORT=9005\n');
    const env = { APPDATA: join(folder, 'app'), ProgramData: join(folder, 'all') };
    expect(loadSettings(env, folder, 'win32').API_PORT).toBe(9004);
    expect(loadSettings({ ProgramData: env.ProgramData }, folder, 'win32').API_PORT).toBe(9005);
  });

  test('no file at all is fine', () => {
    expect(configFileCandidates('/here', {}, 'win32')).toEqual([join('/here', 'pixyz-scheduler.conf')]);
    expect(loadSettings({}, folder, 'win32').configFile).toBeNull();
  });

  test('relative paths are meant from the current folder', () => {
    file('SHARE_PATH=my/share\nTEMPORAL_DB_FILE=state/t.db\n');
    expect(loadSettings({}, folder)).toMatchObject({
      SHARE_PATH: join(folder, 'my', 'share'),
      TEMPORAL_DB_FILE: join(folder, 'state', 't.db'),
    });
  });
});

describe('what a value may be', () => {
  test('an empty value means "not set"', () => {
    const settings = read({ API_PORT: '', GOD_PASSWORD_SHA256: '', SHARE_PATH: ' ', QUEUE_NAME: '' });
    expect(settings).toMatchObject({
      API_PORT: 8001,
      QUEUE_NAME: ['cpu', 'gpu', 'gpuhigh', 'control', 'zip', 'clean'],
    });
    expect(settings.GOD_PASSWORD_SHA256).toBeUndefined();
  });

  test.each([
    ['true', true],
    ['TRUE', true],
    ['True', true],
    ['false', false],
    [' False ', false],
  ])('a flag is true or false, in any case: %s', (text, expected) => {
    expect(read({ CLEANUP_ENABLED: text }).CLEANUP_ENABLED).toBe(expected);
  });

  test.each(['1', 'yes', 'on', 'maybe'])(
    'any other word is false, and said to be, where it may mean true: %s',
    (text) => {
      const settings = read({ CLEANUP_ENABLED: text });
      expect(settings.CLEANUP_ENABLED).toBe(false);
      expect(settings.notices).toContain(
        `CLEANUP_ENABLED = "${text}" is taken for false: only the word true turns it on`,
      );
    },
  );

  test.each(['0', 'no', 'Off'])('words that mean false are false without a word: %s', (text) => {
    expect(read({ DEBUG: text })).toMatchObject({ DEBUG: false, notices: [] });
  });

  test('a flag that is true by default can be switched off', () => {
    expect(read({}).LICENSE_ACQUIRE_AT_START).toBe(true);
    expect(read({ LICENSE_ACQUIRE_AT_START: 'false' }).LICENSE_ACQUIRE_AT_START).toBe(false);
  });

  test('the hash of the token may be written in upper case, as PowerShell prints it', () => {
    expect(read({ GOD_PASSWORD_SHA256: 'AB'.repeat(32) }).GOD_PASSWORD_SHA256).toBe('ab'.repeat(32));
  });

  test('queues are trimmed, and each counts once', () => {
    expect(read({ QUEUE_NAME: ' cpu , wine,cpu,, ' }).QUEUE_NAME).toEqual(['cpu', 'wine']);
  });

  test.each([
    ['WARNING', 'warn'],
    ['critical', 'fatal'],
    ['Debug', 'debug'],
  ])('levels are those of Python: %s', (text, expected) => {
    expect(read({ LOGLEVEL: text }).LOGLEVEL).toBe(expected);
  });

  test('there is one slot, and five with DEBUG', () => {
    expect(read({}).CONCURRENT_TASKS).toBe(1);
    expect(read({ DEBUG: 'true' }).CONCURRENT_TASKS).toBe(5);
    expect(read({ DEBUG: 'true', CONCURRENT_TASKS: '2' }).CONCURRENT_TASKS).toBe(2);
  });

  test('the caches follow the XDG variable', () => {
    expect(read({ XDG_CACHE_HOME: '/cache' }).PIXYZ_CACHE_PATH).toBe('/cache/pixyz-temporal-scheduler');
    expect(read({ XDG_CACHE_HOME: '/cache', PIXYZ_CACHE_PATH: '/own' }).PIXYZ_CACHE_PATH).toBe('/own');
  });
});

describe('what is said', () => {
  test('every problem at once, each with its name and value', () => {
    const attempt = () =>
      read({ API_PORT: 'http', TEMPORAL_PORT: '70000', GOD_PASSWORD_SHA256: 'secret', QUEUE_NAME: 'cpu,a b' });
    expect(attempt).toThrow(SettingsError);
    expect(attempt).toThrow(/4 problems/);
    for (const part of [
      /API_PORT = "http": must be a whole number/,
      /TEMPORAL_PORT = "70000"/,
      /"a b" is not a queue/,
    ]) {
      expect(attempt).toThrow(part);
    }
  });

  test('never the value of a secret: a token may stand where its hash belongs', () => {
    const attempt = () => read({ GOD_PASSWORD_SHA256: 'my-token' });
    expect(attempt).toThrow(/GOD_PASSWORD_SHA256: must be the SHA-256/);
    expect(attempt).not.toThrow(/my-token/);
  });

  test('names of the original that mean nothing here are accepted and said to be unused', () => {
    const { notices } = read({ REDIS_PASSWORD: 'x', POOL_TYPE: 'solo', CELERY_BROKER_URL: '' });
    expect(notices).toHaveLength(2);
    expect(notices.join('\n')).toMatch(/REDIS_PASSWORD[^]*Redis[^]*POOL_TYPE|POOL_TYPE[^]*REDIS_PASSWORD/);
  });
});
