import { describe, expect, it } from 'vitest';
import { jobFormSchema } from '../../../src/api/schemas/job-request.js';
import { jobConfigSchema } from '../../../src/compile/job-config.js';
import { foreignNames, settingsSchema, unusedNames } from '../../../src/config/schema.js';
import { attemptSchema, faultKinds, jobStatusSchema } from '../../../src/contract/job.js';
import { errorCodes } from '../../../src/errors/codes.js';
import { openApiDocument } from '../../support/openapi.js';
import { page, tableBelow } from './pages.js';

// Tables of the pages against what the program says of itself.

const rest = page('docs/rest.md');
const operations = page('docs/operations.md');
const coded = (cell: string | undefined): string => /^`([^`]+)`/.exec(cell ?? '')?.[1] ?? '';
const firstColumn = (of: typeof rest, heading: string): string[] =>
  tableBelow(of, heading)
    .map(([cell]) => coded(cell))
    .filter((cell) => cell !== '');

interface OpenApi {
  readonly paths: Record<string, Record<string, { readonly security?: readonly unknown[] }>>;
}

describe('docs/rest.md', () => {
  it('lists every call of the API, and whether it needs the token', async () => {
    const { paths } = await openApiDocument<OpenApi>();
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { security }]) => `${method.toUpperCase()} ${path}: ${security === undefined ? 'no' : 'yes'}`,
      ),
    );
    const described = tableBelow(rest, 'Calls')
      .filter(([call]) => coded(call) !== '')
      .map(([call, token]) => `${coded(call)}: ${token}`);
    expect(new Set(described)).toEqual(new Set(calls));
    expect(described).toHaveLength(calls.length);
  });

  it('lists the fields of the form and the keys of config', () => {
    expect(firstColumn(rest, 'Create a job').sort()).toEqual(
      [...Object.keys(jobFormSchema.shape), 'file', 'script'].sort(),
    );
    expect(firstColumn(rest, 'config').sort()).toEqual(Object.keys(jobConfigSchema.shape).sort());
  });

  it('lists the statuses, the outcomes of attempts, and the statuses of errors', () => {
    const statuses = jobStatusSchema.options.filter((status) => status !== 'STARTED');
    expect(firstColumn(rest, 'The state of a job')).toEqual(expect.arrayContaining(statuses));
    for (const outcome of ['succeeded', ...faultKinds]) expect(rest.text).toContain(`\`${outcome}\``);
    const shown = tableBelow(rest, 'Errors').map(([status]) => Number(status));
    for (const { status } of Object.values(errorCodes)) expect(shown).toContain(status);
    expect(Object.keys(attemptSchema.shape)).toContain('outcome');
  });
});

describe('docs/migration.md', () => {
  it('tells of every name of the other configuration once, and of no setting that is not there', () => {
    const rows = tableBelow(page('docs/migration.md'), 'Configuration').map(([cell = '']) => cell);
    const told = rows.flatMap((cell) => [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name));
    expect(new Set(told).size).toBe(told.length);
    const there = [...Object.keys(settingsSchema.shape), ...unusedNames, ...foreignNames] as string[];
    expect(told.filter((name) => !there.includes(name))).toEqual([]);
    expect(namesThere.filter((name) => !told.includes(name))).toEqual([]);
  });
});

/** Every name that the Celery-based scheduler reads. */
const namesThere = `REDIS_MASTER_SERVICE_HOST REDIS_MASTER_SERVICE_PORT REDIS_PASSWORD REDIS_DATABASE CELERY_BROKER_URL
  CELERY_RESULT_BACKEND CELERY_BATCH_NAME CELERY_ALWAYS_EAGER LICENSE_FLEXLM LICENSE_HOST LICENSE_PORT LICENSE_ACQUIRE_AT_START
  DISABLE_PIXYZ PIXYZ_PYTHON_PATH GOD_PASSWORD_SHA256 API_PORT WEB_CONCURRENCY FORWARDED_ALLOW_IPS SHARE_PATH PROCESS_PATH
  QUEUE_NAME POOL_TYPE CONCURRENT_TASKS MAX_TASKS_BEFORE_SHUTDOWN PIXYZ_TIME_LIMIT PIXYZ_RETRY_TIME_LIMIT MAX_MEMORY_USAGE
  MAX_MEMORY_USAGE_GPUHIGH CLEANUP_ENABLED CLEANUP_DELAY LOG_LEVEL LOGLEVEL DEBUG DOCKER_REDIS_IMAGE DOCKER_API_IMAGE
  DOCKER_WORKER_IMAGE PIXYZ_IMAGE_BASE PIXYZ_IMAGE_VERSION UID GID TEST_URL TZ`.split(/\s+/);

describe('docs/operations.md', () => {
  it('names what is accepted without effect', () => {
    for (const name of [...unusedNames, ...foreignNames]) expect(operations.text).toContain(`\`${name}\``);
  });
});
