import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Details } from '../support/api-client.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// `python-sdk.md` §15 over HTTP on the running system: one worker with one slot for everything.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({
    worker: { CONCURRENT_TASKS: '1', QUEUE_NAME: 'cpu,gpu,gpuhigh,control' },
  });
});
afterAll(() => system.stop());

const head = `
import datetime, decimal, os, time, uuid
from pixyz_worker.script import *
from celery.result import AsyncResult, GroupResult, allow_join_result
from celery.exceptions import ChordError, TimeoutError

def fresh(pc, entrypoint, **keys):
    return ProgramContext(script=pc['script'], entrypoint=entrypoint, **keys)

def got(pc, params):
    return {'got': params}

def number(pc, params):
    return params['n']

def add(pc, params):
    return sum(params)

def where(pc, params):
    return pc['queue']

def ident(pc, params):
    return pc['task'].request.id

class Broken(Exception):
    def __init__(self, why, code):
        super().__init__(why, code)
        self.code = code

def fail(pc, params):
    raise Broken('on purpose', 7)

def sig(name, params=None, **keys):
    return lambda pc: pixyz_execute.s({} if params is None else params, fresh(pc, name, **keys))

def link(name, **keys):
    return lambda pc: pixyz_execute.s(pc=fresh(pc, name, **keys))
`;

function run(body: string, params: unknown = {}, config: unknown = {}): Promise<Details> {
  return system.api.run({ script: head + body, params, config }, 60_000);
}

async function valueOf(body: string, params: unknown = {}): Promise<unknown> {
  const details = await run(body, params);
  expect(details.error, 'the error of the job').toBe(null);
  expect(details.status).toBe('SUCCESS');
  return details.result;
}

describe('data flow', () => {
  it('clones inherit the parameters of their parent, as they are when the canvas is sent', async () => {
    const value = await valueOf(
      `
def main(pc, params):
    params['late'] = 1
    r = chain(pixyz_execute.s({'x': 1}, pc.clone(entrypoint='got', raw=True)),
              pixyz_execute.s(pc=pc.clone(entrypoint='got', raw=True)))()
    with allow_join_result():
        return [r.parent.get(), r.get(), params]
`,
      { p: 9 },
    );
    const first = { got: { p: 9, late: 1, x: 1 } };
    expect(value).toEqual([first, { got: { p: 9, late: 1, ...first } }, { p: 9, late: 1 }]);
  });

  it('many clones of a context with large parameters carry them once, and one of them can be repeated by itself', async () => {
    const text = 'x'.repeat(5000);
    const [values, id] = (await valueOf(
      `
def measure(pc, params):
    return [params['n'], len(params['text'])]

def main(pc, params):
    g = group(pixyz_execute.s({'n': n}, pc.clone(entrypoint='measure', raw=True)) for n in range(3))()
    with allow_join_result():
        return [g.get(), g[1].id]
`,
      { text },
    )) as [unknown, string];
    expect(values).toEqual([
      [0, 5000],
      [1, 5000],
      [2, 5000],
    ]);
    expect(
      readFileSync(join(system.share, `${id.slice(0, 28)}00000000`, 'nodes', '00000001.jsonl'), 'utf8'),
    ).not.toContain(text);
    const answer = (await (await system.api.send('POST', `/jobs/${id}/retry`)).json()) as { uuid: string };
    expect((await system.api.ended(answer.uuid)).result).toEqual([1, 5000]);
  });

  it('raw, fresh and cloned contexts hand on the value, the record and the wrapped value', async () => {
    const [raw, wrapped, record] = (await valueOf(`
def main(pc, params):
    def handed(context):
        r = chain(pixyz_execute.s({'n': 1}, context), link('got', raw=True)(pc))()
        with allow_join_result():
            seen = r.parent.get()
            assert r.get()['got'] == seen, (r.get(), seen)
            return seen
    return [handed(fresh(pc, 'number', raw=True)), handed(pc.clone(entrypoint='number')), handed(fresh(pc, 'number'))]
`)) as [unknown, unknown, Record<string, unknown>];
    expect([raw, wrapped]).toEqual([1, { result: 1 }]);
    expect(record).toMatchObject({ result: 1, progress: 100, steps: [], shadow_name: null });
    expect(Object.keys(record).sort()).toEqual(['progress', 'result', 'shadow_name', 'steps', 'time_info']);
  });

  it('a chord and a link after a group receive a list in header order', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    numbers = [sig('number', {'n': n}, raw=True)(pc) for n in range(5)]
    r = chord(numbers)(link('add', raw=True)(pc))
    nested = (group(numbers[0], group(numbers[1:3])) | link('got', raw=True)(pc) | link('got', raw=True)(pc))()
    with pc.allow_join_result():
        return [r.get(), nested.get()]
`),
    ).toEqual([10, { got: { got: [0, 1, 2] } }]);
  });

  it('dates, decimals, bytes, large integers and 1.0 stay what they are from task to task', async () => {
    expect(
      await valueOf(`
VALUES = {'when': datetime.datetime(2026, 1, 2, 3, 4, 5, 6), 'day': datetime.date(2026, 1, 2), 'd': decimal.Decimal('1.10'),
          'u': uuid.UUID(int=7), 'text': b'abc', 'raw': b'\\xff\\x00', 'big': 2 ** 70, 'one': 1.0, 'tuple': (1, 2), 3: 4}

def typed(pc, params):
    return VALUES

def check(pc, params):
    want = {**VALUES, 'tuple': [1, 2], '3': 4}
    del want[3]
    assert params == want and type(params['one']) is float and type(params['when']) is datetime.datetime, params
    return 'kept'

def main(pc, params):
    r = chain(sig('typed', raw=True)(pc), link('check', raw=True)(pc))()
    sent = pixyz_execute.s({**VALUES, 'tuple': [1, 2], 3: 4}, fresh(pc, 'check', raw=True)).apply_async()
    with pc.allow_join_result():
        return [r.get(), sent.get(), r.parent.get()['raw'] == b'\\xff\\x00', r.parent.result['big'] == 2 ** 70]
`),
    ).toEqual(['kept', 'kept', true, true]);
  });

  it('an immutable link keeps its own parameters, and waits', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    r = chain(sig('number', {'n': 1})(pc), pixyz_execute.si({'own': 1}, fresh(pc, 'got', raw=True)))()
    with pc.allow_join_result():
        return [r.get(), r.parent.state]
`),
    ).toEqual([{ got: { own: 1 } }, 'SUCCESS']);
  });

  it('what a canvas of chains, chords and groups gives', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    one = lambda n: sig('number', {'n': n}, raw=True)(pc)
    body = link('add', raw=True)(pc) | link('got', raw=True)(pc)
    r = chord([one(1) | link('got', raw=True)(pc) | pixyz_execute.si({'n': 5}, fresh(pc, 'number', raw=True)),
               chord([one(2), one(3)], link('add', raw=True)(pc))], body)()
    g = chain(group(one(1), one(2)), group(link('add', raw=True)(pc), link('got', raw=True)(pc)))()
    with pc.allow_join_result():
        return [r.get(), g.get(), chord([])(link('add', raw=True)(pc)).get(), group([])().get()]
`),
    ).toEqual([{ got: 10 }, [3, { got: [1, 2] }], 0, []]);
  });

  it('chunks give a list of lists', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    r = pixyz_execute.chunks([({'n': n}, fresh(pc, 'number', raw=True)) for n in range(5)], 2)()
    with pc.allow_join_result():
        return [r.get(), len(r)]
`),
    ).toEqual([[[0, 1], [2, 3], [4]], 3]);
  });
});

describe('options', () => {
  it('a link goes to the queue gpu unless told otherwise, and a custom queue is a queue', async () => {
    const worker = await system.startWorker({ QUEUE_NAME: 'wine', CONCURRENT_TASKS: '1' });
    try {
      expect(
        await valueOf(`
@pixyz_schedule(queue='cpu')
def decorated(pc, params):
    return pc['queue']

def main(pc, params):
    r = group(sig('where', raw=True)(pc), sig('where', raw=True)(pc).set(queue='wine'), sig('decorated', raw=True)(pc))()
    with pc.allow_join_result():
        return r.get()
`),
      ).toEqual(['gpu', 'wine', 'gpu']);
    } finally {
      await worker.stop();
    }
  });

  it('limits, names and delays are those of the link', async () => {
    const [limits, name, soft, waited, expired] = (await valueOf(`
from celery.exceptions import SoftTimeLimitExceeded
def limits(pc, params):
    return [pc['task'].request.timelimit, pc['time_limit']]

def slow(pc, params):
    try:
        time.sleep(30)
    except SoftTimeLimitExceeded:
        return 'ended in an orderly way'

def main(pc, params):
    a = sig('limits', raw=True)(pc).set(time_limit=77, shadow='shown')()
    b = sig('limits', raw=True)(pc)()
    c = sig('slow', raw=True)(pc).set(soft_time_limit=0.2)()
    begun = time.monotonic()
    d = sig('number', {'n': 1}, raw=True)(pc).apply_async(countdown=0.5)
    e = sig('number', {'n': 1})(pc).set(queue='nobody').apply_async(expires=0.3)
    with pc.allow_join_result():
        return [[a.get(), b.get()], a.id, c.get(), d.get() == 1 and time.monotonic() - begun, type(e.get(propagate=False)).__name__]
`)) as [unknown, string, string, number, string];
    expect(limits).toEqual([
      [[77, null], 77],
      [[2400, null], 2400],
    ]);
    expect((await system.api.details(name)).name).toBe('shown');
    expect(soft).toBe('ended in an orderly way');
    expect(waited).toBeGreaterThanOrEqual(0.5);
    expect(expired).toBe('TaskRevokedError');
  });

  it('a script may choose the id of a task that it sends alone', async () => {
    const id = '12345678-1234-4321-8765-43210000000a';
    const [ids, again] = (await valueOf(
      `
def main(pc, params):
    r = sig('ident', raw=True)(pc).apply_async(task_id=params['id'])
    with pc.allow_join_result():
        return [[r.id, r.get()], pc.AsyncResult(params['id']).get(disable_sync_subtasks=False)]
`,
      { id },
    )) as [string[], string];
    expect([...ids, again]).toEqual([id, id, id]);
    expect((await system.api.details(id)).status).toBe('SUCCESS');
  });

  it('callbacks run with the value, and after a failure with what failed', async () => {
    const file = join(system.folder, 'callbacks');
    await valueOf(
      `
def note(pc, params):
    with open(params['file'] + params['suffix'], 'w') as f:
        f.write(str(params.get('task_id')))

def pass_on(pc, params):
    with open(pc['file'], 'w') as f:
        f.write(str(params))

def main(pc, params):
    ok = sig('number', {'n': 5}, raw=True)(pc).apply_async(link=link('pass_on', file=params['file'] + '.ok')(pc))
    bad = sig('fail')(pc).apply_async(link_error=pixyz_execute.s({**params, 'suffix': '.bad'}, fresh(pc, 'note')))
    return bad.id
`,
      { file },
    );
    await waitFor(() => expect([existsSync(`${file}.ok`), existsSync(`${file}.bad`)]).toEqual([true, true]));
    await waitFor(() => expect(readFileSync(`${file}.ok`, 'utf8')).toBe('5'));
    await waitFor(() => expect(readFileSync(`${file}.bad`, 'utf8')).toMatch(/^[0-9a-f-]{36}$/));
  });
});

describe('handles', () => {
  it('have the shapes that clients read', async () => {
    const [task, chained, grouped, chorded, list] = (await valueOf(`
def main(pc, params):
    one = lambda: sig('number', {'n': 1})(pc)
    c = chain(one(), link('got')(pc), link('got')(pc))()
    return [one()().as_tuple(), c.as_tuple(), group(one(), one())().as_tuple(), chord([one(), one()])(link('got')(pc)).as_tuple(),
            [c.as_list(), c.id, c.parent.id, c.parent.parent.id]]
`)) as unknown[];
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(task).toEqual([[id, null], null]);
    expect(chained).toEqual([[id, [[id, [[id, null], null]], null]], null]);
    const pair = [
      [[id, null], null],
      [[id, null], null],
    ];
    expect(grouped).toEqual([[id, null], pair]);
    expect(chorded).toEqual([[id, [[id, null], pair]], null]);
    const [ids, ...links] = list as [string[], ...string[]];
    expect(ids).toEqual(links);
  });

  it('tell state, value, progress and times of tasks, those of clones too', async () => {
    const value = (await valueOf(`
def steps(pc, params):
    pc.progress_set_total(2)
    pc.progress_next('one')
    pc.progress_next('two')
    return 'done'

def main(pc, params):
    r = pixyz_execute.s({}, pc.clone(entrypoint='steps')).set(shadow='clone')()
    before = r.ready()
    with pc.allow_join_result():
        r.get()
    return [before, r.state, r.status, r.ready(), r.successful(), r.failed(), r.result, r.date_done.year, r.name, r.args, r.id]
`)) as unknown[];
    expect(value.slice(0, 10)).toEqual([
      false,
      'SUCCESS',
      'SUCCESS',
      true,
      true,
      false,
      { result: 'done' },
      new Date().getUTCFullYear(),
      null,
      null,
    ]);
    expect(await system.api.details(value[10] as string)).toMatchObject({
      name: 'clone',
      status: 'SUCCESS',
      progress: 100,
      steps: [{ info: 'one' }, { info: 'two' }],
      result: 'done',
    });
  });

  it('refuse to wait in a task that has not said so', async () => {
    const details = await run(`
def main(pc, params):
    return sig('number', {'n': 1})(pc)().get()
`);
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/RuntimeError: Never call result\.get\(\) within a task!/);
    expect(
      await valueOf(`
def main(pc, params):
    return sig('number', {'n': 1}, raw=True)(pc)().get(disable_sync_subtasks=False)
`),
    ).toBe(1);
  });

  it('stop waiting after their time', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    r = sig('number')(pc).set(queue='nobody')()
    try:
        with allow_join_result():
            r.get(timeout=0.2)
    except TimeoutError:
        r.revoke()
        with allow_join_result():
            error = r.get(propagate=False)
        return [type(error).__name__, r.state]
`),
    ).toEqual(['TaskRevokedError', 'REVOKED']);
  });

  it('tell every state message of what is waited for', async () => {
    expect(
      await valueOf(`
def steps(pc, params):
    pc.progress_next('one')
    pc.progress_next('two')
    return 5

def main(pc, params):
    seen = []
    r = sig('steps')(pc)()
    with allow_join_result():
        r.get(on_message=lambda message: seen.append(message))
    assert all(m['task_id'] == r.id for m in seen)
    return [[m['status'] for m in seen], seen[-1]['result']['result'], len(seen[2]['result']['steps']), sorted(seen[-1])]
`),
    ).toEqual([
      ['STARTED', 'RUNNING', 'RUNNING', 'SUCCESS'],
      5,
      2,
      ['children', 'date_done', 'result', 'status', 'task_id', 'traceback'],
    ]);
  });

  it('know the tasks that a task has started', async () => {
    expect(
      await valueOf(`
def parent(pc, params):
    return chain(sig('number', {'n': 1})(pc), link('got')(pc))().as_tuple()

def main(pc, params):
    r = sig('parent', raw=True)(pc)()
    with allow_join_result():
        value = r.get()
    return [len(r.children), r.children[0].id == value[0][0], r.children[0].parent.id == value[0][1][0][0]]
`),
    ).toEqual([1, true, true]);
  });
});

describe('failures', () => {
  it('of a link are raised by the last one; later links never run and stay PENDING', async () => {
    const [error, states, left, last] = (await valueOf(`
def main(pc, params):
    r = chain(sig('fail')(pc), link('got')(pc), link('got')(pc))()
    with allow_join_result():
        try:
            r.get()
        except Broken as caught:
            error = [list(caught.args), caught.code]
        left = repr(r.get(propagate=False))
    return [error, [r.state, r.parent.state, r.parent.parent.state], left, r.id]
`)) as [unknown, unknown, unknown, string];
    expect(error).toEqual([['on purpose', 7], 7]);
    expect(states).toEqual(['PENDING', 'PENDING', 'FAILURE']);
    expect(left).toBe("Broken('on purpose', 7)");
    expect((await system.api.details(last)).status).toBe('PENDING');
  });

  it('of a group member: raised, or in its place in the list', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    g = group(sig('number', {'n': 1}, raw=True)(pc), sig('fail')(pc), sig('number', {'n': 3}, raw=True)(pc))()
    with allow_join_result():
        both = g.get(propagate=False)
        try:
            g.get()
        except Broken as caught:
            return [both[0], repr(both[1]), both[2], caught.code, g.ready(), g.successful(), g.failed(), g.completed_count()]
`),
    ).toEqual([1, "Broken('on purpose', 7)", 3, 7, true, false, true, 2]);
  });

  it('of a chord header: the callback is a failure that names the task', async () => {
    const [code, state, isChordError, named, callback] = (await valueOf(`
def main(pc, params):
    r = chord([sig('number', {'n': 1})(pc), sig('fail')(pc)])(link('add')(pc))
    with allow_join_result():
        try:
            r.get()
        except Broken as caught:
            code = caught.code
        error = r.get(propagate=False)
    return [code, r.state, isinstance(error, ChordError), r.parent[1].id in str(error), r.id]
`)) as unknown[];
    expect([code, state, isChordError, named]).toEqual([7, 'FAILURE', true, true]);
    const details = await system.api.details(callback as string);
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/^ChordError: Dependency [0-9a-f-]{36} raised/);
  });

  it('of the process are tried once more', async () => {
    expect(
      await valueOf(`
def crashes_once(pc, params):
    if pc['retry'] == 0:
        os._exit(3)
    return [pc['retry'], pc['queue']]

def main(pc, params):
    r = sig('crashes_once', raw=True)(pc)()
    with allow_join_result():
        return r.get()
`),
    ).toEqual([1, 'gpuhigh']);
  });

  it('in what is sent are told at once, by a sentence', async () => {
    const errors = await Promise.all(
      [
        "pixyz_execute.s({}, {'script': 'x'})()",
        "chain(sig('got')(pc), sig('got')(pc))()",
        "sig('got')(pc).set(queue='no queue')()",
        "sig('got', {'x': {1}})(pc)()",
      ].map(async (send) => (await run(`\ndef main(pc, params):\n    ${send}\n`)).error?.trim().split('\n').at(-1)),
    );
    expect(errors).toEqual([
      'TypeError: pc must be a ProgramContext, not dict',
      expect.stringMatching(/^TypeError: the task 'got' has parameters of its own and would get those/),
      expect.stringMatching(/^Refused: queue "no queue" is no name for a queue/),
      expect.stringMatching(/params\['x'\] is of type set/),
    ]);
  });
});

describe('wait=True', () => {
  it('gives the value of a task, a chain, a group and a chord, with a step for each task', async () => {
    const canvases = {
      single: "sig('number', {'n': 1}, raw=True)(pc)()",
      chain: "chain(sig('number', {'n': 1}, raw=True)(pc), link('got', raw=True)(pc))()",
      group: "group(sig('number', {'n': n}, raw=True)(pc) for n in (1, 2))()",
      chord: "chord([sig('number', {'n': n}, raw=True)(pc) for n in (1, 2)])(link('add', raw=True)(pc))",
      'plain value': '{"plain": 1}',
    };
    const outcomes: Record<string, [unknown, number | undefined]> = {};
    for (const [name, canvas] of Object.entries(canvases)) {
      const { status, result, steps } = await run(
        `\n@pixyz_schedule(wait=True, timeout=60)\ndef main(pc, params):\n    return ${canvas}\n`,
      );
      expect(status).toBe('SUCCESS');
      outcomes[name] = [result, steps?.length];
    }
    expect(outcomes).toEqual({
      single: [1, 1],
      chain: [{ got: 1 }, 2],
      group: [[1, 2], 2],
      chord: [3, 3],
      'plain value': [{ plain: 1 }, 0],
    });
  });

  it('fails with the exception of a failing link', async () => {
    const details = await run(`
@pixyz_schedule(wait=True)
def main(pc, params):
    return chain(sig('fail')(pc), link('got')(pc))()
`);
    expect(details.status).toBe('FAILURE');
    expect(details.error?.trimEnd().split('\n').at(-1)).toBe("Broken: ('on purpose', 7)");
    expect(details.attempts).toHaveLength(1);
  });

  it('waits no longer than its timeout', async () => {
    const details = await run(`
@pixyz_schedule(wait=True, timeout=0.3)
def main(pc, params):
    return sig('got')(pc).set(queue='nobody')()
`);
    expect(details.status).toBe('FAILURE');
    expect(details.error).toMatch(/TimeoutError: the sub-tasks took longer than the 0\.3 s/);
    expect(details.attempts).toHaveLength(1);
  });

  it('waits that wait for others finish with one slot', async () => {
    expect(
      await valueOf(`
@pixyz_schedule(wait=True)
def nest(pc, params):
    depth = params['depth']
    if depth == 0:
        return 'bottom'
    return pixyz_execute.s({'depth': depth - 1}, fresh(pc, 'nest', raw=True)).set(queue='cpu')()

@pixyz_schedule(wait=True)
def main(pc, params):
    return pixyz_execute.s({'depth': 4}, fresh(pc, 'nest', raw=True)).set(queue='control')()
`),
    ).toBe('bottom');
  });

  it('a loop that asks for the state again and again counts as waiting', async () => {
    expect(
      await valueOf(`
def main(pc, params):
    r = sig('number', {'n': 1}, raw=True)(pc)()
    while not r.ready():
        time.sleep(0.01)
    return r.result
`),
    ).toBe(1);
  });
});

describe('a script that is run again', () => {
  it('gets the chord back that its first attempt has finished, and does not run it again', async () => {
    const file = join(system.folder, 'runs');
    const [total, retry, outputs] = (await valueOf(
      `
def counted(pc, params):
    with open(params['file'], 'a') as f:
        f.write(pc['task'].request.id + '\\n')
    with open(os.path.join(params['folder'], str(params['n'])), 'w') as f:
        f.write('made')
    return params['n']

def main(pc, params):
    params['folder'] = pc.get_output_dir()
    header = [pixyz_execute.s({**params, 'n': n}, fresh(pc, 'counted', raw=True)) for n in (1, 2, 3)]
    r = chord(header)(link('add', raw=True)(pc))
    with allow_join_result():
        total = r.get()
    if pc['retry'] == 0:
        os._exit(9)
    return [total, pc['retry'], sorted(os.listdir(pc.get_output_dir()))]
`,
      { file },
    )) as [number, number, string[]];
    expect([total, retry]).toEqual([6, 1]);
    expect(outputs).toEqual(['1', '2', '3']);
    const ids = readFileSync(file, 'utf8').trim().split('\n');
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('a job that is cancelled', () => {
  it('takes with it what it has sent; one that has ended leaves it alone', async () => {
    const file = join(system.folder, 'sent');
    const body = `
def forever(pc, params):
    with open(params['file'], 'w') as f:
        f.write(pc['task'].request.id)
    time.sleep(600)

@pixyz_schedule(wait=True)
def main(pc, params):
    return chain(sig('forever', params)(pc), link('got')(pc))()
`;
    const jobId = await system.api.submit({ script: head + body, params: { file } });
    const child = await waitFor(() => {
      const text = readFileSync(file, 'utf8');
      expect(text).toHaveLength(36);
      return text;
    });
    await system.api.send('POST', `/jobs/${jobId}/cancel`);
    expect((await system.api.ended(jobId)).status).toBe('REVOKED');
    expect((await system.api.ended(child)).status).toBe('REVOKED');
  });
});

describe('pc.execute and subtask_async', () => {
  it('start a function of the script; the value is wrapped, as in local mode', async () => {
    expect(
      await valueOf(
        `
def child(pc, params):
    return dict(params, queue=pc['queue'], parent=pc['task_id'] != pc['task'].request.id)

def main(pc, params):
    t = subtask_async(pc, 'child', {'q': 1}, queue='cpu')
    u = pc.clone(entrypoint='child', raw=True).execute(queue='control')
    with pc.allow_join_result():
        return [pc.AsyncResult(t.task_id).get(), u.get(), params]
`,
        { p: 9 },
      ),
    ).toEqual([
      { result: { p: 9, q: 1, queue: 'cpu', parent: true } },
      { p: 9, queue: 'control', parent: true },
      { p: 9 },
    ]);
  });
});
