import { describe, expect, it } from 'vitest';
import { jobConfigSchema, jobFormSchema } from '../../../src/api/schemas/job-request.js';
import { foreignNames, unusedNames } from '../../../src/config/schema.js';
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

describe('docs/operations.md', () => {
  it('names what is accepted without effect', () => {
    for (const name of [...unusedNames, ...foreignNames]) expect(operations.text).toContain(`\`${name}\``);
  });
});
