import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Attempt, JobRecord } from '../../../src/contract/job.js';
import { logFileOf } from '../../../src/store/layout.js';
import { type ApiUnderTest, startApi } from '../../support/api-under-test.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';

const attempt = (number: number, changes: Partial<Attempt> = {}): Attempt => ({
  attempt: number,
  queue: 'cpu',
  worker: 'w1',
  pid: 1,
  startedAt: '2026-11-21T11:49:05.577974+00:00',
  endedAt: null,
  outcome: null,
  message: null,
  ...changes,
});
const ended = { endedAt: '2026-11-21T11:49:06+00:00' };

async function writeLog(api: ApiUnderTest, jobId: string, number: number, content: string | Buffer): Promise<string> {
  const paths = api.store.paths(jobId);
  await mkdir(paths.logs, { recursive: true });
  await writeFile(logFileOf(paths, number), content);
  return logFileOf(paths, number);
}

interface Event {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent
  readonly data: any;
}

/** Reads an event stream as it comes. */
class EventReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';
  readonly comments: string[] = [];
  retry: string | null = null;

  constructor(answer: Response) {
    if (answer.body === null) throw new Error('the answer has no body');
    this.#reader = answer.body.pipeThrough(new TextDecoderStream() as never).getReader() as never;
  }

  /** The next event; null when the stream has ended. */
  async next(): Promise<Event | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        );
        if (fields.has('data')) {
          return {
            event: fields.get('event') ?? '',
            id: fields.get('id') ?? '',
            data: JSON.parse(fields.get('data') ?? 'null'),
          };
        }
        this.retry = fields.get('retry') ?? this.retry;
        const comment = fields.get('');
        if (comment !== undefined) this.comments.push(comment);
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += value;
    }
  }

  async rest(): Promise<Event[]> {
    const events: Event[] = [];
    for (let event = await this.next(); event !== null; event = await this.next()) events.push(event);
    return events;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

const change = (api: ApiUnderTest, record: JobRecord, changes: Partial<JobRecord>) =>
  api.store.writeRecord({ ...record, ...changes });

describe('the events of a job', () => {
  it('tell the state now, each change of status, progress and steps, and end after the end', async () => {
    const api = await startApi();
    const record = await api.seed({ name: 'my job' });
    const answer = await api.call(`/jobs/${record.jobId}/events`);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = new EventReader(answer);
    expect(await events.next()).toMatchObject({
      event: 'state',
      data: { uuid: record.jobId, name: 'my job', status: 'PENDING' },
    });
    expect(events.retry).toBe('2000');
    await change(api, record, { status: 'RUNNING', progress: 0, steps: [{ duration: -1, info: 'load' }] });
    expect(await events.next()).toMatchObject({ data: { status: 'RUNNING', progress: 0 } });
    const steps = [
      { duration: 0.1, info: 'load' },
      { duration: -1, info: 'save' },
    ];
    await change(api, record, { status: 'RUNNING', progress: 50, steps });
    expect(await events.next()).toMatchObject({ data: { progress: 50, steps } });
    await change(api, record, { status: 'SUCCESS', progress: 100, result: { ok: 1 } });
    expect(await events.rest()).toMatchObject([{ data: { status: 'SUCCESS', progress: 100, result: { ok: 1 } } }]);
  });

  it('go on after the last one that a client has seen, and stop a client that has seen the end', async () => {
    const api = await startApi();
    const record = await api.seed({ status: 'RUNNING', progress: 10 });
    const first = new EventReader(await api.call(`/jobs/${record.jobId}/events`));
    const seen = await first.next();
    await first.cancel();
    await change(api, record, { status: 'SUCCESS' });
    const headers = { 'last-event-id': seen?.id ?? '' };
    const rest = await new EventReader(await api.call(`/jobs/${record.jobId}/events`, { headers })).rest();
    expect(rest.map((event) => event.data.status)).toEqual(['SUCCESS']);
    const again = await api.call(`/jobs/${record.jobId}/events`, { headers: { 'last-event-id': rest[0]?.id ?? '' } });
    expect(again.status).toBe(204);
  });

  it('keep the connection alive with comments while nothing happens', async () => {
    const api = await startApi({ options: { keepAliveMs: 20 } });
    const record = await api.seed();
    const events = new EventReader(await api.call(`/jobs/${record.jobId}/events`));
    await events.next();
    setTimeout(() => void change(api, record, { status: 'REVOKED' }), 300);
    await events.next();
    expect(events.comments.length).toBeGreaterThan(1);
    expect(events.comments[0]).toBe('keep-alive');
  });

  it('say when the job was deleted, and are 404 for a job that is not there', async () => {
    const api = await startApi();
    const record = await api.seed();
    const events = new EventReader(await api.call(`/jobs/${record.jobId}/events`));
    await events.next();
    await api.store.remove(record.jobId);
    expect(await events.rest()).toMatchObject([{ event: 'deleted' }]);
    expect((await api.call(`/jobs/${unknown}/events`)).status).toBe(404);
  });

  it('do not hold the API when it is told to stop', async () => {
    const api = await startApi();
    const record = await api.seed();
    const events = new EventReader(await api.call(`/jobs/${record.jobId}/events`));
    await events.next();
    const closed = api.app.close();
    expect(await events.next()).toBeNull();
    await closed;
  });
});

describe('the logs of a job', () => {
  it('are listed with the sizes of all attempts', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({
      status: 'RUNNING',
      attempts: [attempt(1, { ...ended, outcome: 'exit' }), attempt(2, { queue: 'gpuhigh' })],
    });
    await writeLog(api, jobId, 1, 'first\n');
    expect(await (await api.call(`/jobs/${jobId}/logs`)).json()).toEqual({
      attempts: [
        {
          attempt: 1,
          queue: 'cpu',
          worker: 'w1',
          started: attempt(1).startedAt,
          stopped: ended.endedAt,
          outcome: 'exit',
          size: 6,
        },
        {
          attempt: 2,
          queue: 'gpuhigh',
          worker: 'w1',
          started: attempt(1).startedAt,
          stopped: null,
          outcome: null,
          size: 0,
        },
      ],
    });
    expect((await api.call(`/jobs/${unknown}/logs`)).status).toBe(404);
  });

  it('are text: of the last attempt, of any, or only the last lines', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS', attempts: [attempt(1, ended), attempt(2, ended)] });
    await writeLog(api, jobId, 1, 'one\n');
    await writeLog(api, jobId, 2, 'a\nb\nc\nd');
    const get = async (query: string) => {
      const answer = await api.call(`/jobs/${jobId}/logs?${query}`);
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      return answer.text();
    };
    expect(await get('attempt=last')).toBe('a\nb\nc\nd');
    expect(await get('attempt=1')).toBe('one\n');
    expect(await get('tail=2')).toBe('c\nd');
    expect(await get('tail=1&attempt=1')).toBe('one\n');
    expect(await get('tail=100')).toBe('a\nb\nc\nd');
    expect(await get('tail=0')).toBe('');
    expect((await api.call(`/jobs/${jobId}/logs?attempt=3`)).status).toBe(404);
    expect((await api.call(`/jobs/${jobId}/logs?attempt=0`)).status).toBe(400);
  });

  it('give the tail of a long log without reading it whole', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i}`);
    await writeLog(api, jobId, 1, `${lines.join('\n')}\n`);
    const text = await (await api.call(`/jobs/${jobId}/logs?tail=50000`)).text();
    expect(text).toBe(`${lines.slice(-50_000).join('\n')}\n`);
  });

  it('can be followed while the script writes, without breaking characters, until it ends', async () => {
    const api = await startApi();
    const record = await api.seed({ status: 'RUNNING', attempts: [attempt(1)] });
    const file = await writeLog(api, record.jobId, 1, 'begin\n');
    const events = new EventReader(await api.call(`/jobs/${record.jobId}/logs?follow=true`));
    expect(await events.next()).toEqual({ event: 'log', id: '1.6', data: { attempt: 1, text: 'begin\n' } });
    const euro = Buffer.from('€');
    await appendFile(file, Buffer.concat([Buffer.from('x'), euro.subarray(0, 2)]));
    expect(await events.next()).toMatchObject({ data: { text: 'x' } });
    await appendFile(file, euro.subarray(2));
    expect(await events.next()).toMatchObject({ data: { text: '€' } });
    await appendFile(file, 'last words');
    await change(api, record, { status: 'SUCCESS', attempts: [attempt(1, ended)] });
    const rest = await events.rest();
    expect(rest.map((event) => event.data.text ?? '').join('')).toBe('last words');
    expect(rest.at(-1)).toMatchObject({ event: 'end', data: { status: 'SUCCESS' } });
  });

  it('go on with the next attempt, and from where a client that comes again had got to', async () => {
    const api = await startApi();
    const record = await api.seed({ status: 'RETRY', attempts: [attempt(1, { ...ended, outcome: 'exit' })] });
    await writeLog(api, record.jobId, 1, 'first attempt\n');
    const events = new EventReader(await api.call(`/jobs/${record.jobId}/logs?follow=true&tail=1`));
    expect(await events.next()).toMatchObject({ data: { attempt: 1, text: 'first attempt\n' } });
    await writeLog(api, record.jobId, 2, 'second attempt\n');
    await change(api, record, { status: 'RUNNING', attempts: [attempt(1, ended), attempt(2)] });
    expect(await events.next()).toEqual({ event: 'log', id: '2.15', data: { attempt: 2, text: 'second attempt\n' } });
    await events.cancel();
    await change(api, record, { status: 'SUCCESS', attempts: [attempt(1, ended), attempt(2, ended)] });
    const again = await api.call(`/jobs/${record.jobId}/logs?follow=true`, { headers: { 'last-event-id': '1.6' } });
    const rest = await new EventReader(again).rest();
    expect(rest.filter((event) => event.event === 'log').map((event) => event.data)).toEqual([
      { attempt: 1, text: 'attempt\n' },
      { attempt: 2, text: 'second attempt\n' },
    ]);
  });
});
