import pino from 'pino';
import { expect, it } from 'vitest';
import { fieldsOf } from '../../../src/engine/sdk-runtime.js';

it('what the Temporal SDK tells has our ids, and errors with their message', () => {
  const graph = '3c7b1077-d4f2-42ce-98b0-8d9f00000000';
  let line = '';
  const logger = pino({}, { write: (text: string) => void (line = text) });
  logger.warn(fieldsOf({ workflowId: graph, error: new TypeError('no such thing') }), 'Workflow failed');
  expect(JSON.parse(line)).toMatchObject({ graph, err: { type: 'TypeError', message: 'no such thing' } });
  expect(fieldsOf({ activityId: '3c7b1077-d4f2-42ce-98b0-8d9f00000001' })).toMatchObject({ graph, node: 1 });
  expect(fieldsOf({ workflowId: 'pixyz:other' })).toEqual({ workflowId: 'pixyz:other' });
});
