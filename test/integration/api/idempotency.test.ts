import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { jobIdOf } from '../../../src/contract/ids.js';
import { graphIdFromKey } from '../../../src/contract/new-graph-id.js';
import { startApi } from '../../support/api-under-test.js';

function form(changes: Record<string, string> = {}, file = 'model'): FormData {
  const data = new FormData();
  data.set('params', '{"a": 1}');
  for (const [name, value] of Object.entries(changes)) data.set(name, value);
  data.set('file', new Blob([file]), 'in.step');
  data.set('script', new Blob(['def main(params, pc): pass\n']), 's.py');
  return data;
}

const key = { 'idempotency-key': 'order 4711' };

describe('a repeated request with the same Idempotency-Key', () => {
  it('gets the answer of the first one, and makes no second job', async () => {
    const api = await startApi();
    const first = await (await api.post(form({ name: 'a' }), key)).json();
    const second = await (await api.post(form({ name: 'a' }), key)).json();
    expect(second).toEqual(first);
    expect((first as { uuid: string }).uuid).toBe(jobIdOf(graphIdFromKey('order 4711'), 1));
    expect(api.engine.graphs.size).toBe(1);
    expect(await api.leftovers()).toHaveLength(1);
  });

  it('gets it also when both come at the same time', async () => {
    const api = await startApi();
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.post(form(), key)));
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(api.engine.graphs.size).toBe(1);
    expect(await api.leftovers()).toHaveLength(1);
  });

  it.each([
    ['other parameters', form({ params: '{"a": 2}' })],
    ['another name', form({ name: 'b' })],
    ['other bytes in the file', form({}, 'modem')],
  ])('is refused with 409 when it has %s', async (_, other) => {
    const api = await startApi();
    await api.post(form(), key);
    const answer = await api.post(other, key);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ detail: { code: 409, message: 'Conflict' } });
    expect(await api.leftovers()).toHaveLength(1);
  });

  it('starts the graph when the API died between the first commit and the start', async () => {
    const api = await startApi();
    const { uuid } = (await (await api.post(form(), key)).json()) as { uuid: string };
    api.engine.graphs.clear();
    expect((await api.post(form(), key)).status).toBe(200);
    expect(api.engine.graphOf(uuid).nodes).toHaveLength(1);
  });

  it('is refused when the job of the first one was deleted, since its run cannot be had again', async () => {
    const api = await startApi();
    const { uuid } = (await (await api.post(form(), key)).json()) as { uuid: string };
    api.engine.endRun(uuid);
    expect((await api.call(`/jobs/${uuid}`, { method: 'DELETE' })).status).toBe(200);
    const answer = await api.post(form(), key);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ detail: { details: expect.stringContaining('deleted') } });
    expect(await api.leftovers()).toEqual([]);
  });

  it('makes the job when the first one could not be started', async () => {
    const api = await startApi();
    api.engine.down = true;
    expect((await api.post(form(), key)).status).toBe(503);
    api.engine.down = false;
    expect((await api.post(form(), key)).status).toBe(200);
    expect(await readdir(api.store.root)).toContain(jobIdOf(graphIdFromKey('order 4711'), 1));
  });

  it('gets the job whose start arrived although nobody heard of it', async () => {
    const api = await startApi();
    api.engine.losesAnswers = true;
    expect((await api.post(form(), key)).status).toBe(503);
    expect(api.engine.graphs.size).toBe(1);
    api.engine.losesAnswers = false;
    const answer = await api.post(form(), key);
    expect(answer.status).toBe(200);
    const { uuid } = (await answer.json()) as { uuid: string };
    expect([...api.engine.graphs.keys()]).toEqual([graphIdFromKey('order 4711')]);
    expect((await api.call(`/jobs/${uuid}`)).status).toBe(200);
    expect(await api.leftovers()).toEqual([uuid]);
  });

  it('gets it also when the start arrived nowhere, as often as it takes', async () => {
    const api = await startApi();
    for (const [down, losesAnswers] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      Object.assign(api.engine, { down, losesAnswers });
      expect((await api.post(form(), key)).status).toBe(503);
    }
    Object.assign(api.engine, { down: false, losesAnswers: false });
    expect((await api.post(form(), key)).status).toBe(200);
    expect(api.engine.graphs.size).toBe(1);
  });
});

describe('a start that fails', () => {
  it('leaves no job behind where no key was sent: nobody could ask for it again', async () => {
    const api = await startApi();
    api.engine.losesAnswers = true;
    expect((await api.post(form())).status).toBe(503);
    expect(await api.leftovers()).toEqual([]);
  });

  it('leaves none behind either where Temporal has answered that it will not', async () => {
    const api = await startApi();
    api.engine.startGraph = () => Promise.reject(new Error('the arguments are too large'));
    expect((await api.post(form(), key)).status).toBe(500);
    expect(await api.leftovers()).toEqual([]);
  });
});
