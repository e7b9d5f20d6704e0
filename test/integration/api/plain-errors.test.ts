import { describe, expect, it } from 'vitest';
import { startApi } from '../../support/api-under-test.js';

// Somebody who sends what cannot be used reads sentences, not what the library says to programmers.

const libraryTalk = /expected|Invalid|Too (big|small)|Unrecognized|received/;
const graph = '01890000-0000-4000-8000-000000000000';

describe('what is wrong with a request is told in plain words', () => {
  it.each([
    ['GET', '/jobs?limit=0', undefined],
    ['GET', '/jobs?limit=many', undefined],
    ['GET', '/jobs?status=LOST', undefined],
    ['GET', '/jobs?since=yesterday', undefined],
    ['GET', '/jobs?name=a%00b', undefined],
    ['GET', '/jobs/no-uuid', undefined],
    ['GET', '/graphs?limit=0', undefined],
    ['GET', '/graphs?state=odd', undefined],
    ['GET', '/graphs/no-uuid', undefined],
    ['GET', `/graphs/${graph}/nodes?limit=-1`, undefined],
    ['GET', `/graphs/${graph}/nodes?state=odd`, undefined],
    ['GET', `/graphs/${graph}/events?after=x`, undefined],
    ['PATCH', `/graphs/${graph}`, { priority: 'high' }],
    ['PATCH', `/graphs/${graph}`, { priority: 99, odd: 1 }],
    ['POST', '/graphs', { nodes: [{ id: 5, process: 7, deps: 'a', priority: 9.5, retries: -1, map: {} }] }],
    ['POST', '/graphs', { nodes: [{ id: 'a', process: 'sleep', time_limit: 'long', when: 1, command: {} }] }],
    ['POST', '/graphs', { name: 5, labels: [], on_failure: 'panic', max_parallel: 0, nodes: {} }],
    ['POST', '/graphs', { defaults: { queue: 5, priority: 'x' }, nodes: [] }],
    ['POST', '/graphs/validate', { nodes: [5] }],
    ['POST', '/jobs/cancel', { jobs: 'all' }],
  ])('%s %s %o', async (method, path, body) => {
    const api = await startApi();
    const answer = await api.call(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    expect(answer.status, text).toBeGreaterThanOrEqual(path === '/graphs/validate' ? 200 : 400);
    expect(answer.status, text).toBeLessThan(500);
    expect(text).not.toMatch(libraryTalk);
  });
});
