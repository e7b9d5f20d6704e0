import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { singleJobGraph } from '../../../src/api/submission/single-job-graph.js';
import { entrypointOf, readConfig, resolveSettings } from '../../../src/compile/job-settings.js';
import { parseJson } from '../../../src/compile/parse-json.js';
import type { JobSpec } from '../../../src/contract/job.js';
import type { Json } from '../../../src/contract/json.js';

const resolve = (config: Json, decorator: Record<string, Json> = {}) => resolveSettings(readConfig(config), decorator);

describe('the settings of a job', () => {
  it('have the documented defaults', () => {
    expect(resolve({})).toEqual({
      entrypoint: 'main',
      queue: 'cpu',
      timeLimit: 3600,
      rootFile: null,
      computeOnly: false,
      raw: false,
      context: {},
      callback: null,
      dispatch: { countdown: 0, expires: null, priority: 3, maxRetries: 1 },
    });
  });

  it('take the decorator over the defaults, and the user over the decorator', () => {
    const decorator = { queue: 'gpu', time_limit: 10, raw: true, entrypoint: 'other' };
    expect(resolve({}, decorator)).toMatchObject({ queue: 'gpu', timeLimit: 10, raw: true, entrypoint: 'other' });
    expect(resolve({ queue: 'wine', time_limit: 20, entrypoint: 'main' }, decorator)).toMatchObject({
      queue: 'wine',
      timeLimit: 20,
      raw: true,
      entrypoint: 'main',
    });
  });

  it('treat null as not given, so the queue of the decorator wins through the real client', () => {
    expect(resolve({ queue: null, time_limit: 3600, entrypoint: 'main' }, { queue: 'gpu' }).queue).toBe('gpu');
  });

  it('send an entrypoint that waits to control, unless somebody names a queue', () => {
    expect(resolve({}, { wait: true }).queue).toBe('control');
    expect(resolve({}, { wait: false }).queue).toBe('cpu');
    expect(resolve({}, { wait: true, queue: 'gpu' }).queue).toBe('gpu');
    expect(resolve({ queue: 'cpu' }, { wait: true }).queue).toBe('cpu');
    expect(resolve({ wait: true }).queue, 'only the decorator decides').toBe('cpu');
  });

  it.each([
    [0, 0],
    [1.5, 1.5],
    [86_400, 86_400],
    [86_401, null],
  ])('take a time limit of %s as %s', (given, expected) => {
    expect(resolve({ time_limit: given }).timeLimit).toBe(expected);
  });

  it.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [4, 3],
    [5, 3],
    [7, 4],
    [9, 5],
  ])('map priority %i to level %i, 0 first', (given, level) => {
    expect(resolve({ priority: given }).dispatch.priority).toBe(level);
  });

  it('hand unknown keys to the script, and keep what users may not set away from it', () => {
    const config = {
      mine: { a: [1] },
      countdown: 5,
      expires: 60,
      wait: true,
      timeout: 3,
      soft_time_limit: 1,
      script: 'x',
      data: 'x',
      shadow: 'x',
      uuid: 'x',
      task_id: 'x',
      is_local: true,
      time_request: 'x',
      callback: { url: 'https://example.org', secret: 's' },
    };
    const settings = resolve(config, { theirs: 1, mine: 'overridden' });
    expect(settings.context).toEqual({
      mine: { a: [1] },
      countdown: 5,
      expires: 60,
      wait: true,
      timeout: 3,
      soft_time_limit: 1,
      theirs: 1,
    });
    expect(settings.dispatch).toMatchObject({ countdown: 5, expires: 60 });
    expect(settings.callback).toEqual({ url: 'https://example.org', secret: 's' });
  });

  it.each([
    [{ time_limit: '3600' }, /time_limit: must be a number of seconds without quotes/],
    [{ time_limit: true }, /time_limit/],
    [{ queue: 5 }, /queue/],
    [{ queue: 'a/b' }, /queue: is not a queue name/],
    [{ raw: 'yes' }, /raw: must be true or false/],
    [{ priority: 10 }, /priority/],
    [{ priority: 1.5 }, /priority/],
    [{ countdown: -1 }, /countdown: must not be negative/],
    [{ expires: '60' }, /expires: must be a number of seconds/],
    [{ retries: -1 }, /retries/],
    [{ callback: 'https://example.org' }, /callback/],
    [{ callback: { url: 'https://example.org', other: 1 } }, /callback/],
    [{ kwargs: {} }, /kwargs/],
    [{ queue: 5, raw: 1 }, /queue.*raw/],
  ])('refuse %j and name every problem', (config, message) => {
    expect(() => resolve(config as Json)).toThrow(message);
  });

  it('blame the decorator for what the decorator says', () => {
    expect(() => resolve({}, { time_limit: '10' })).toThrow(
      /the decorator of the entrypoint has a problem: time_limit/,
    );
  });

  it('look for the entrypoint that the user names, else main', () => {
    expect(entrypointOf(readConfig({}))).toBe('main');
    expect(entrypointOf(readConfig({ entrypoint: null }))).toBe('main');
    expect(entrypointOf(readConfig({ entrypoint: 'run' }))).toBe('run');
  });
});

describe('JSON of a form field', () => {
  it('is what JSON.parse says, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson('params', text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('may not be nested without end, but brackets in texts do not count', () => {
    expect(() => parseJson('params', '['.repeat(100_000))).toThrow(/nested/);
    expect(parseJson('params', JSON.stringify('['.repeat(1000)))).toBe('['.repeat(1000));
    expect(parseJson('params', `"\\"${'['.repeat(300)}"`)).toBe(`"${'['.repeat(300)}`);
  });
});

describe('the graph of a single job', () => {
  const spec: JobSpec = {
    version: 1,
    jobId: '3c7b1077-d4f2-42ce-98b0-8d9f00000001',
    graphId: '3c7b1077-d4f2-42ce-98b0-8d9f00000000',
    name: null,
    process: 'custom',
    script: { share: '3c7b1077-d4f2-42ce-98b0-8d9f00000001/inputs/s.py' },
    entrypoint: 'main',
    data: null,
    paramsText: '{}',
    queue: 'gpu',
    timeLimit: 10,
    rootFile: null,
    computeOnly: false,
    raw: false,
    context: {},
    timeRequest: '2026-11-21T11:49:05.570674',
    callback: { url: 'https://example.org' },
    retryOf: null,
    dispatch: { countdown: 5, expires: 60, priority: 1, maxRetries: 0 },
    digest: null,
  };
  const options = { retryTimeLimit: 3600, rescueWait: 30 };

  it('has one node with the decisions of the interpreter, and no bytes', () => {
    expect(singleJobGraph(spec, options)).toEqual({
      input: {
        graphId: spec.graphId,
        nodes: [
          {
            index: 1,
            label: 's.py',
            queue: 'gpu',
            timeLimit: 10,
            countdown: 5,
            expires: 60,
            priority: 1,
            retry: { maxRetries: 0, maxLosses: 10, rescueQueue: 'gpuhigh', rescueTimeLimit: 3600, rescueWait: 30 },
            deps: [],
            trigger: 'all_succeeded',
            hasCallback: true,
          },
        ],
      },
      labels: { name: null, queue: 'gpu', process: 'custom' },
    });
  });

  it('is called after the job, else the process, else the script', () => {
    const label = (changes: Partial<JobSpec>) => singleJobGraph({ ...spec, ...changes }, options).input.nodes[0]?.label;
    expect(label({ name: 'my job', process: 'sleep' })).toBe('my job');
    expect(label({ process: 'sleep', script: { process: 'sleep' } })).toBe('sleep');
    expect(label({ script: { path: '/a/b.py' } })).toBe('b.py');
  });

  it('gives a rescue at least the time that the job had', () => {
    const rescue = (timeLimit: number | null) =>
      singleJobGraph({ ...spec, timeLimit }, options).input.nodes[0]?.retry.rescueTimeLimit;
    expect(rescue(10)).toBe(3600);
    expect(rescue(7200)).toBe(7200);
    expect(rescue(null)).toBeNull();
  });
});
