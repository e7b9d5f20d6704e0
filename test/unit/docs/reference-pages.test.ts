import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { foreignNames, settingsSchema, unusedNames } from '../../../src/config/schema.js';
import { cliPage } from '../../../tools/reference/cli-page.js';
import { type OpenApiDocument, restPage } from '../../../tools/reference/rest-page.js';
import { settingsPage } from '../../../tools/reference/settings-page.js';
import { typescriptPage } from '../../../tools/reference/typescript-page.js';
import { openApiDocument } from '../../support/openapi.js';

/** Pages of docs/reference are what the program says of itself. `npm run reference` writes them, by this test. */
const written = (name: string) => join(projectRoot, 'docs', 'reference', name);
const hint = 'out of date: npm run reference';

describe('docs/reference', () => {
  it('has every call of the API', async () => {
    await expect(restPage(await openApiDocument<OpenApiDocument>()), hint).toMatchFileSnapshot(written('rest.md'));
  });

  it('has every command of pixyz', async () => {
    await expect(cliPage(), hint).toMatchFileSnapshot(written('cli.md'));
  });

  it('has every setting', async () => {
    const used = Object.entries(settingsSchema.shape).filter(
      ([name]) => !(unusedNames as readonly string[]).includes(name),
    );
    const settings = used.map(([name, schema]) => {
      const value = schema.safeParse(undefined).data;
      const fallback = value === undefined ? null : Array.isArray(value) ? value.join(',') : String(value);
      return { name, fallback, text: schema.description ?? '' };
    });
    const sample = readFileSync(join(projectRoot, 'pixyz-scheduler.conf.example'), 'utf8');
    const page = settingsPage(settings, sample, unusedNames, foreignNames);
    for (const { name } of settings) expect(page).toContain(`| \`${name}\` |`);
    await expect(page, hint).toMatchFileSnapshot(written('configuration.md'));
  });

  it('has everything that TypeScript programs and workflow files import', async () => {
    const page = await typescriptPage([
      {
        name: 'pixyz-temporal-scheduler/client',
        file: 'src/client/index.ts',
        intro: 'The REST API for programs in Node.js: typed, with retries, uploads, downloads and event streams.',
      },
      {
        name: 'pixyz-temporal-scheduler/workflow',
        file: 'src/workflow-sdk/index.ts',
        intro: 'What a workflow file imports.',
      },
    ]);
    await expect(page, hint).toMatchFileSnapshot(written('typescript.md'));
  });

  it('has everything that scripts import', async () => {
    const python = process.env['PYTHON'];
    if (python === undefined) throw new Error('PYTHON names no interpreter: run npm test or npm run check');
    const page = execFileSync(python, [join(projectRoot, 'tools', 'reference', 'python_page.py')], {
      encoding: 'utf8',
      env: {
        ...process.env,
        PYTHONPATH: ['python', join('python', 'shims')].map((path) => join(projectRoot, path)).join(delimiter),
      },
    });
    await expect(page, hint).toMatchFileSnapshot(written('python.md'));
  });
});
