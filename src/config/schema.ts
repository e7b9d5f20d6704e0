import { z } from 'zod';
import { knownQueues, queueNamePattern } from '../contract/queues.js';

/**
 * Every setting, under the name it has in `pixyz-scheduler.conf` and in the environment. Values arrive as text; an
 * empty text means "not set". The documentation page and the sample file are held against this table by a test.
 */

const text = () => z.string().min(1);
const optionalText = () => text().optional();

/** True only for the word `true`, in any case, as files that exist rely on; `settings.ts` tells of words that may mean it. */
const flag = (fallback: boolean) =>
  z
    .string()
    .prefault(String(fallback))
    .transform((value) => value.trim().toLowerCase() === 'true');

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\s*-?\d+\s*$/, 'must be a whole number')
    .transform((value) => Number.parseInt(value, 10))
    .pipe(z.number().min(min).max(max));

const port = (fallback: number) => whole(0, 65535).prefault(String(fallback));
const seconds = (fallback: number) => whole(0, 10 ** 9).prefault(String(fallback));

const queueList = z
  .string()
  .prefault(knownQueues.join(','))
  .transform((value, context) => {
    const names = [
      ...new Set(
        value
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean),
      ),
    ];
    for (const name of names) {
      if (!queueNamePattern.test(name)) {
        context.addIssue({
          code: 'custom',
          message: `"${name}" is not a queue name: letters, digits, dot, dash and underscore, at most 100`,
        });
      }
    }
    if (names.length === 0) context.addIssue({ code: 'custom', message: 'names no queue' });
    return names;
  });

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const logLevel = z
  .string()
  .prefault('INFO')
  .transform((value) => ({ warning: 'warn', critical: 'fatal' })[value.toLowerCase()] ?? value.toLowerCase())
  .pipe(z.enum(logLevels, { error: 'must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL' }));

export const settingsSchema = z.object({
  // API
  API_HOST: text()
    .prefault('127.0.0.1')
    .describe('Address the API listens on. 0.0.0.0 for all networks; put TLS in front.'),
  API_PORT: port(8001).describe('Port of the API. 0: any free port.'),
  API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an address such as https://farm.example' })
    .optional()
    .describe('Address of the API as people reach it, for links from the Temporal Web UI to the page.'),
  GOD_PASSWORD_SHA256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be the SHA-256 of the token: 64 hexadecimal digits')
    .transform((value) => value.toLowerCase())
    .optional()
    .describe(
      'SHA-256 of the API token, hexadecimal, either case. Not set: the first start makes a token and shows it.',
    ),
  MAX_UPLOAD_SIZE: whole(0, 2 ** 50)
    .prefault(String(64 * 2 ** 30))
    .describe('Largest request body of POST /jobs, bytes.'),
  SESSION_SECRET: optionalText().describe(
    'Key that signs the sessions of the page; several APIs need the same. Not set: made at the first start.',
  ),
  CALLBACK_SECRET: optionalText().describe('Key that signs the notices of jobs whose callback names no secret.'),

  // Places
  SHARE_PATH: optionalText().describe(
    'Root of the job store; the same folder on the API and on all workers. Default: share/ of the project; of the current folder where the package is installed by npm.',
  ),
  PROCESS_PATH: optionalText().describe('Folder of the shipped processes. Default: processes/ of the project.'),
  WORKFLOWS_PATH: optionalText().describe(
    'Folder of the workflow files (TypeScript). Default: workflows/ of the folder that the system is started in.',
  ),
  PYTHON: optionalText().describe('Python interpreter of the scripts. Default: the environment that set-up makes.'),
  PIXYZ_CACHE_PATH: optionalText().describe(
    'Where set-up keeps what it downloads and builds. Default: the cache folder of the user.',
  ),

  // Temporal
  TEMPORAL_ADDRESS: optionalText().describe(
    'host:port of a Temporal server that is already there. Not set: npm start runs its own.',
  ),
  TEMPORAL_NAMESPACE: text().prefault('pixyz').describe('Temporal namespace; made when missing.'),
  TAKE_NAMESPACE: flag(false).describe(
    'true: take the Temporal namespace from the share that it belongs to; for one start, after that share is gone.',
  ),
  TEMPORAL_PORT: port(7233).describe('Port of the embedded Temporal server.'),
  TEMPORAL_UI_PORT: port(8233).describe('Port of the embedded Temporal Web UI.'),
  TEMPORAL_DB_FILE: optionalText().describe(
    'SQLite file of the embedded server. Default: .data/temporal.db of the project; of the current folder where the package is installed by npm.',
  ),
  TEMPORAL_SYNC: z
    .enum(['normal', 'full'])
    .prefault('normal')
    .describe('normal: survives a kill of every process; full: also a power cut, at a third of the speed.'),
  TEMPORAL_UI_URL: optionalText().describe(
    'Address of the Temporal Web UI as people reach it, for links. Default: the embedded one.',
  ),

  // Worker
  QUEUE_NAME: queueList.describe('Queues this worker serves, comma separated.'),
  CONCURRENT_TASKS: whole(1, 10_000)
    .optional()
    .describe('Scripts that run at the same time in this worker. Default: 1 (5 with DEBUG).'),
  MAX_TASKS_BEFORE_SHUTDOWN: whole(0, 10 ** 9)
    .prefault('0')
    .describe('This worker ends itself after exactly so many scripts. 0: never.'),
  PIXYZ_TIME_LIMIT: seconds(2400).describe(
    'Time limit, in seconds, of sub-tasks that scripts send without one; 0: none. Jobs of the API get 3600.',
  ),
  PIXYZ_RETRY_TIME_LIMIT: seconds(3600).describe(
    "Time limit, in seconds, of the retry on gpuhigh (at least the job's own).",
  ),
  PIXYZ_RESCUE_WAIT: whole(1, 10 ** 9)
    .prefault('60')
    .describe('Seconds a retry waits for gpuhigh before it falls back to its own queue where nobody serves gpuhigh.'),
  MAX_MEMORY_USAGE: whole(0, 2 ** 43)
    .prefault('0')
    .describe('Memory limit of one script and its children, KiB. 0: none.'),
  MAX_MEMORY_USAGE_GPUHIGH: whole(0, 2 ** 43)
    .optional()
    .describe('The same for scripts taken from gpuhigh.'),
  MAX_PROCESSES: whole(0, 10 ** 6)
    .prefault('512')
    .describe('Processes one script may have at the same time. 0: no limit.'),
  MAX_LOG_SIZE: whole(4096, 2 ** 50)
    .prefault(String(64 * 2 ** 20))
    .describe('Log kept of one attempt, bytes; of a longer one the beginning and the end.'),
  DRAIN_SECONDS: seconds(2600).describe(
    'How long a worker that was told to stop waits for its running scripts; then they run again elsewhere.',
  ),
  WORKER_HOST: text().prefault('127.0.0.1').describe("Address of the worker's health and metrics."),
  WORKER_PORT: port(0).describe("Port of the worker's health and metrics. 0: any free port, told in the log."),
  POOL_TYPE: optionalText().describe('Accepted and not used: every script has its own process, whatever the pool.'),

  // Pixyz and its licence
  DISABLE_PIXYZ: flag(false).describe('true: this worker never loads Pixyz.'),
  PIXYZ_PYTHON_PATH: optionalText().describe(
    'Folder of the real pxz module; not set: the open engine of this project.',
  ),
  LICENSE_FLEXLM: flag(false).describe('true: a FlexLM licence server; false: a licence bound to the machine.'),
  LICENSE_HOST: optionalText().describe('Host of the licence server.'),
  LICENSE_PORT: port(27000).describe('Port of the licence server.'),
  LICENSE_ACQUIRE_AT_START: flag(true).describe('true: take the licence when the worker starts.'),

  // Clean-up
  CLEANUP_ENABLED: flag(false).describe('true: delete the files of ended jobs.'),
  CLEANUP_DELAY: seconds(3600).describe('Seconds after the end of a job until its files are deleted.'),
  RECORD_RETENTION: seconds(30 * 24 * 3600).describe(
    'Seconds after the end of a job until its record is deleted too, with clean-up enabled.',
  ),

  // Traces
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an address such as http://collector:4318' })
    .optional()
    .describe('Address of an OpenTelemetry collector (OTLP over HTTP). Not set: nothing is traced.'),
  OTEL_EXPORTER_OTLP_HEADERS: optionalText().describe(
    'Headers for the collector: name=value, comma separated, values percent-encoded.',
  ),

  // Logs
  LOGLEVEL: logLevel.describe('DEBUG, INFO, WARNING, ERROR or CRITICAL.'),
  DEBUG: flag(false).describe('true: print the settings at start, 5 slots.'),
});

/** Names of the original that have no meaning here: accepted, and said to be unused. */
export const unusedNames = [
  'REDIS_MASTER_SERVICE_HOST',
  'REDIS_MASTER_SERVICE_PORT',
  'REDIS_PASSWORD',
  'REDIS_DATABASE',
  'CELERY_BROKER_URL',
  'CELERY_RESULT_BACKEND',
  'CELERY_BATCH_NAME',
  'CELERY_ALWAYS_EAGER',
  'POOL_TYPE',
  'WEB_CONCURRENCY',
  'FORWARDED_ALLOW_IPS',
  'DOCKER_REDIS_IMAGE',
] as const;

/** Names that other parts of a deployment read from the same file. */
export const foreignNames = [
  'LOG_LEVEL',
  'DOCKER_API_IMAGE',
  'DOCKER_WORKER_IMAGE',
  'PIXYZ_IMAGE_BASE',
  'PIXYZ_IMAGE_VERSION',
  'UID',
  'GID',
  'TEST_URL',
  'TZ',
  'POSTGRES_PASSWORD',
  'PIXYZ_PULL_POLICY',
  'STOP_GRACE',
] as const;
