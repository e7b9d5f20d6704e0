import type { z } from 'zod';
import type { Callback, Dispatch } from '../contract/job.js';
import type { Json } from '../contract/json.js';
import { EngineError } from '../errors/engine-error.js';
import { type JobConfig, jobConfigSchema } from './job-config.js';

/** How one job runs: defaults, under the decorator of its entrypoint, under the configuration the user sent. */
export interface JobSettings {
  readonly entrypoint: string;
  readonly queue: string;
  readonly timeLimit: number | null;
  readonly rootFile: string | null;
  readonly computeOnly: boolean;
  readonly raw: boolean;
  readonly context: Readonly<Record<string, Json>>;
  readonly callback: Callback | null;
  readonly dispatch: Dispatch;
}

type Values = Readonly<Record<string, Json>>;

/** Time limit of jobs that arrive over REST without one, seconds. */
const defaultTimeLimit = 3600;
/** A limit above one day means none. */
const longestTimeLimit = 86_400;

/** Set by the scheduler; what a user sends under these names is dropped without a word, as it always was. */
const dropped = new Set(['script', 'data', 'shadow', 'uuid', 'task_id', 'is_local', 'time_request']);
/** Would take the place of the task's own arguments. */
const refused = ['args', 'kwargs'];
/** Settings with a field of their own. The rest (also countdown, expires and priority) can be read by the script. */
const modelled = new Set([
  'entrypoint',
  'queue',
  'time_limit',
  'root_file',
  'compute_only',
  'raw',
  'retries',
  'callback',
]);

/** What the user's `config` says, without nulls and without what users may not set. */
export function readConfig(config: Json): Values {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new EngineError('BAD_REQUEST', `"config" must be a JSON object such as {"queue": "gpu"}`);
  }
  const values = kept(config);
  check(values, '"config"');
  return values;
}

/** The function to look for in the script. */
export function entrypointOf(config: Values): string {
  return typeof config['entrypoint'] === 'string' ? config['entrypoint'] : 'main';
}

export function resolveSettings(config: Values, decorator: Values): JobSettings {
  const merged = { ...kept(decorator), ...config };
  const checked = check(merged, 'the decorator of the entrypoint');
  return {
    entrypoint: checked.entrypoint,
    queue: checked.queue ?? (isTrue(kept(decorator)['wait']) ? 'control' : 'cpu'),
    timeLimit: limitOf(checked.time_limit),
    rootFile: checked.root_file ?? null,
    computeOnly: checked.compute_only,
    raw: checked.raw,
    context: Object.fromEntries(Object.entries(merged).filter(([key]) => !modelled.has(key))),
    callback: checked.callback ?? null,
    dispatch: {
      countdown: checked.countdown ?? 0,
      expires: checked.expires ?? null,
      // 0…9 as Celery counts, to the five levels of Temporal: 0 and 1 first, 8 and 9 last, 4 and 5 in the middle.
      priority: 1 + Math.floor((checked.priority ?? 4) / 2),
      maxRetries: checked.retries ?? 1,
    },
  };
}

function kept(values: Values): Values {
  for (const key of refused) {
    if (values[key] !== undefined && values[key] !== null) {
      throw new EngineError('BAD_REQUEST', `"config" may not set "${key}": send arguments of the script in "params"`);
    }
  }
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== null && !dropped.has(key)));
}

function check(values: Values, source: string): JobConfig {
  const parsed = jobConfigSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new EngineError('BAD_REQUEST', `${source} has a problem: ${parsed.error.issues.map(sentence).join('; ')}`);
}

function sentence(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}

function limitOf(seconds: number | undefined): number | null {
  const limit = seconds ?? defaultTimeLimit;
  return limit > longestTimeLimit ? null : limit;
}

/** True as Python means it: the decorator's literal may be `True`, `1` or a text. */
function isTrue(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
