import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { readSettings } from '../../../src/config/settings.js';
import { searchAttributes } from '../../../src/engine/search-attributes.js';
import { dynamicConfigFile } from '../../../src/server/dynamic-config.js';
import { findTemporalPrograms } from '../../../src/server/temporal-programs.js';

test('the namespace keeps runs for 30 days and has every search attribute', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const namespace = inject('temporalNamespace');
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  expect(customAttributes).toMatchObject(Object.fromEntries(Object.keys(searchAttributes).map((name) => [name, 2])));
  await connection.close();
});

test('the server knows every key of the dynamic configuration, and the type of its value', async () => {
  const programs = await findTemporalPrograms(readSettings(process.env, '.').PIXYZ_CACHE_PATH, process.env);
  if (programs?.kind !== 'server') return; // Temporal's command-line program has no such check
  const { stdout } = await promisify(execFile)(programs.server, ['validate-dynamic-config', dynamicConfigFile]);
  expect(stdout.trim()).toBe(dynamicConfigFile);
});
