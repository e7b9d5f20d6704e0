import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'dotenv';
import { z } from 'zod';
import { useValidationWords } from '../errors/validation-words.js';
import { reasonOf } from './explain.js';
import { isInstalled, projectRoot } from './project-root.js';
import { settingsSchema, unusedNames } from './schema.js';

/**
 * Settings of one process: the first `pixyz-scheduler.conf` found, and the environment over it. Only a `main.ts` calls
 * {@link loadSettings}; everything else receives the typed object.
 */
export type Settings = Omit<
  z.output<typeof settingsSchema>,
  'SHARE_PATH' | 'PROCESS_PATH' | 'WORKFLOWS_PATH' | 'TEMPORAL_DB_FILE' | 'PIXYZ_CACHE_PATH' | 'CONCURRENT_TASKS'
> & {
  readonly SHARE_PATH: string;
  readonly PROCESS_PATH: string;
  readonly WORKFLOWS_PATH: string;
  readonly TEMPORAL_DB_FILE: string;
  readonly PIXYZ_CACHE_PATH: string;
  readonly CONCURRENT_TASKS: number;
  /** The file that was read, or null. */
  readonly configFile: string | null;
  /** Sentences for the operator about settings that are accepted but have no effect. */
  readonly notices: readonly string[];
};

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const secretNames = new Set(['GOD_PASSWORD_SHA256', 'CALLBACK_SECRET', 'SESSION_SECRET', 'OTEL_EXPORTER_OTLP_HEADERS']);

type Env = Readonly<Record<string, string | undefined>>;

/** Where the file is looked for, in this order. */
export function configFileCandidates(cwd: string, env: Env, platform: NodeJS.Platform): string[] {
  const name = 'pixyz-scheduler.conf';
  const system =
    platform === 'win32'
      ? [env['APPDATA'], env['ProgramData']]
          .filter((folder) => folder !== undefined)
          .map((folder) => join(folder, 'PixyzSDK', name))
      : [join('/etc', name)];
  return [join(cwd, name), ...system];
}

/** Reads the settings. @throws SettingsError that lists every problem at once, with its place. */
export function loadSettings(env: Env, cwd: string, platform: NodeJS.Platform = process.platform): Settings {
  const configFile = configFileCandidates(cwd, env, platform).find((file) => existsSync(file)) ?? null;
  const fromFile = configFile === null ? {} : parse(readFileSync(configFile));
  // An empty variable counts as unset, so it does not hide what the file says.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  return readSettings({ ...fromFile, ...set }, cwd, configFile);
}

/** The same from values that are already merged. */
export function readSettings(values: Env, cwd: string, configFile: string | null = null): Settings {
  const known: Record<string, string> = {};
  for (const name of Object.keys(settingsSchema.shape)) {
    const value = values[name];
    if (value !== undefined && value.trim() !== '') known[name] = value;
  }
  useValidationWords();
  const parsed = settingsSchema.safeParse(known);
  if (!parsed.success) {
    const source = configFile === null ? 'the environment' : `${configFile} or the environment`;
    const lines = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      const value = known[name];
      // What stands where a hash or key belongs may be the secret itself.
      const shown = value === undefined || secretNames.has(name) ? '' : ` = "${value}"`;
      return `  ${name}${shown}: ${issue.message}`;
    });
    throw new SettingsError(
      `The configuration has ${lines.length === 1 ? 'a problem' : `${lines.length} problems`} (in ${source}):\n${lines.join('\n')}`,
    );
  }
  const settings = parsed.data;
  const at = (path: string | undefined, fallback: string) => resolve(cwd, path ?? fallback);
  const home = isInstalled ? cwd : projectRoot;
  return {
    ...settings,
    SHARE_PATH: at(settings.SHARE_PATH, join(home, 'share')),
    PROCESS_PATH: at(settings.PROCESS_PATH, join(projectRoot, 'processes')),
    WORKFLOWS_PATH: at(settings.WORKFLOWS_PATH, 'workflows'),
    TEMPORAL_DB_FILE: at(settings.TEMPORAL_DB_FILE, join(home, '.data', 'temporal.db')),
    PIXYZ_CACHE_PATH: at(
      settings.PIXYZ_CACHE_PATH,
      join(values['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pixyz-temporal-scheduler'),
    ),
    CONCURRENT_TASKS: settings.CONCURRENT_TASKS ?? (settings.DEBUG ? 5 : 1),
    configFile,
    notices: [
      ...unusedNames
        .filter((name) => values[name] !== undefined && values[name] !== '')
        .map((name) => `${name} is set and not used: ${reasonOf(name)}`),
      ...Object.entries(known)
        .filter(([name, value]) => isFlag(name) && !plainFlags.has(value.trim().toLowerCase()))
        .map(([name, value]) => `${name} = "${value}" is taken for false: only the word true turns it on`),
    ],
  };
}

/** Words of a flag that nobody reads the other way. */
const plainFlags = new Set(['true', 'false', '0', 'no', 'off', 'n', 'f']);

function isFlag(name: string): boolean {
  const schema: z.ZodType = settingsSchema.shape[name as keyof typeof settingsSchema.shape];
  return typeof schema.safeParse(undefined).data === 'boolean';
}
