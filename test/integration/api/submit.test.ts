import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type CallInit, startApi, token, writeOutput } from '../../support/api-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const script = 'def main(params, pc):\n    return params\n';

/** The six parts of the real client, byte for byte as it sends them. */
function clientBody(
  boundary: string,
  parts: { name: string; value?: string; filename?: string; type?: string }[],
): string {
  const text = parts.map(({ name, value = '', filename, type }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${contentType}\r\n${value}\r\n`;
  });
  return `${text.join('')}--${boundary}--\r\n`;
}

const headers = (boundary: string) => ({ 'content-type': `multipart/form-data; boundary=${boundary}` });

describe('POST /jobs', () => {
  it('takes the six-part body of the real client, where empty parts mean "not given"', async () => {
    const api = await startApi();
    const body = clientBody('b0undary', [
      { name: 'process', value: 'custom' },
      { name: 'params', value: '{}' },
      { name: 'config', value: '{"entrypoint": "main", "queue": null, "time_limit": 3600}' },
      { name: 'name' },
      { name: 'file' },
      { name: 'script', value: script, filename: 's.py', type: 'text/plain' },
    ]);
    const answer = await api.call('/jobs', { method: 'POST', body, headers: headers('b0undary') });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    const { uuid } = JSON.parse(text);
    expect(text).toBe(`{"uuid":"${uuid}","name":null,"status":"SENT","progress":null,"error":null}`);
    const spec = await api.store.readSpec(uuid);
    expect(spec).toMatchObject({
      process: 'custom',
      entrypoint: 'main',
      queue: 'cpu',
      timeLimit: 3600,
      name: null,
      data: null,
      paramsText: '{}',
      script: { share: `${uuid}/inputs/s.py` },
    });
    expect(await readFile(join(api.store.root, `${uuid}/inputs/s.py`), 'utf8')).toBe(script);
    expect(api.engine.graphOf(uuid).nodes).toHaveLength(1);
  });

  it('takes the six-part body with an input file, whatever bytes it has', async () => {
    const api = await startApi();
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) % 256));
    const head = clientBody('xyz', [
      { name: 'process', value: 'custom' },
      { name: 'params', value: '[1, "ü", null]' },
      { name: 'config', value: '{}' },
      { name: 'name', value: 'my job' },
      { name: 'file', value: '@@', filename: 'in.bin', type: 'application/octet-stream' },
      { name: 'script', value: script, filename: 's.py', type: 'text/plain' },
    ]).split('@@');
    const body = Buffer.concat([Buffer.from(head[0] ?? ''), bytes, Buffer.from(head[1] ?? '')]);
    const answer = await api.call('/jobs', { method: 'POST', body, headers: headers('xyz') });
    expect(answer.status).toBe(200);
    const { uuid, name } = (await answer.json()) as { uuid: string; name: string };
    expect(name).toBe('my job');
    expect(await readFile(join(api.store.root, `${uuid}/inputs/in.bin`))).toEqual(bytes);
    expect(await api.store.readSpec(uuid)).toMatchObject({ paramsText: '[1, "ü", null]' });
  });

  it('serves POST /jobs/ too, since the streamed body of the client cannot follow a redirect', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('script', new Blob([script]), 's.py');
    expect((await api.call('/jobs/', { method: 'POST', body: form })).status).toBe(200);
  });

  it('counts a file part without a name and content as absent, and one with a name as an empty file', async () => {
    const api = await startApi();
    const body = (filename: string) =>
      clientBody('b', [
        { name: 'file', filename, type: 'application/octet-stream' },
        { name: 'script', value: script, filename: 's.py' },
      ]);
    const first = await api.call('/jobs', { method: 'POST', body: body(''), headers: headers('b') });
    expect(await api.store.readSpec(((await first.json()) as { uuid: string }).uuid)).toMatchObject({ data: null });
    const second = await api.call('/jobs', { method: 'POST', body: body('empty.step'), headers: headers('b') });
    const { uuid } = (await second.json()) as { uuid: string };
    expect(await readFile(join(api.store.root, `${uuid}/inputs/empty.step`), 'utf8')).toBe('');
  });

  it('ignores unknown parts, and lets the last of a repeated part win', async () => {
    const api = await startApi();
    const form = new FormData();
    form.append('name', 'first');
    form.append('name', 'last');
    form.append('other', new Blob(['x'.repeat(200_000)]), 'other.bin');
    form.append('script', new Blob(['def other(): pass']), 'a.py');
    form.append('script', new Blob([script]), 'b.py');
    const answer = await api.post(form);
    expect(answer.status).toBe(200);
    const { uuid, name } = (await answer.json()) as { uuid: string; name: string };
    expect(name).toBe('last');
    expect(await readdir(api.store.paths(uuid).inputs)).toEqual(['b.py']);
  });

  it('keeps every digit of params that call themselves JSON, and takes them empty or with a byte order mark', async () => {
    const api = await startApi();
    const paramsOf = async (value: string, type: string) => {
      const body = clientBody('b', [
        { name: 'params', value, type },
        { name: 'script', value: script, filename: 's.py' },
      ]);
      const answer = await api.call('/jobs', { method: 'POST', body, headers: headers('b') });
      const { uuid } = (await answer.json()) as { uuid: string };
      return (await api.store.readSpec(uuid))?.paramsText;
    };
    const digits = '{"a": 12345678901234567890.10}';
    expect(await paramsOf(digits, 'application/json; charset=utf-8')).toBe(digits);
    expect(await paramsOf('"text"', 'application/json')).toBe('"text"');
    expect(await paramsOf('', 'application/json')).toBe('{}');
    expect(await paramsOf(`\u{feff}${digits}`, 'text/plain')).toBe(digits);
  });

  it('refuses a form with more parts than anybody needs in words', async () => {
    const api = await startApi();
    const form = new FormData();
    for (let part = 0; part < 40; part++) form.set(`part ${part}`, 'x');
    const answer = await api.post(form);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ detail: { details: expect.stringContaining('too many parts') } });
  });

  it('takes a urlencoded form for a job without files', async () => {
    const api = await startApi();
    await writeOutput({ paths: () => ({ outputs: api.processes }) } as never, '', 'sleep.py', script);
    const answer = await api.call('/jobs', {
      method: 'POST',
      body: new URLSearchParams({ process: 'sleep', params: '{"duration": 1}', name: '', file: '' }),
    });
    expect(answer.status).toBe(200);
    const { uuid } = (await answer.json()) as { uuid: string };
    expect(await api.store.readSpec(uuid)).toMatchObject({
      process: 'sleep',
      script: { process: 'sleep' },
      paramsText: '{"duration": 1}',
      name: null,
    });
  });

  it.each([
    ['application/json', '{"process": "sleep"}', 'JSON'],
    ['application/vnd.api+json; charset=utf-8', '{}', 'JSON'],
    ['text/plain', 'process=sleep', 'text/plain'],
  ])('refuses a body of type %s with a 400 that says what to send', async (type, body, named) => {
    const api = await startApi();
    const answer = await api.call('/jobs', { method: 'POST', body, headers: { 'content-type': type } });
    expect(answer.status).toBe(400);
    const { detail } = (await answer.json()) as { detail: { code: number; details: string } };
    expect(detail.code).toBe(400);
    expect(detail.details).toContain(named);
    expect(detail.details).toContain('is not read');
    expect(detail.details).toContain('multipart/form-data');
    for (const field of ['process', 'script', 'file', 'params', 'name', 'config']) {
      expect(detail.details).toContain(field);
    }
    expect(await api.leftovers()).toEqual([]);
  });

  it('keeps a script and an input of the same name apart', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('file', new Blob(['the input']), 'same.py');
    form.set('script', new Blob([script]), 'same.py');
    const { uuid } = (await (await api.post(form)).json()) as { uuid: string };
    const spec = await api.store.readSpec(uuid);
    expect(spec?.data).toEqual({ share: `${uuid}/inputs/same.py` });
    expect(spec?.script).toEqual({ share: `${uuid}/inputs/script/same.py` });
    expect(await readFile(join(api.store.root, `${uuid}/inputs/same.py`), 'utf8')).toBe('the input');
    expect(await readFile(join(api.store.root, `${uuid}/inputs/script/same.py`), 'utf8')).toBe(script);
  });

  it.each(['.part-1', '.part-2'])('keeps an input called %s from the script beside it', async (name) => {
    const api = await startApi();
    const form = new FormData();
    form.set('script', new Blob([script]), 's.py');
    form.set('file', new Blob(['the input']), name);
    const { uuid } = (await (await api.post(form)).json()) as { uuid: string };
    expect(await readFile(join(api.store.root, `${uuid}/inputs/${name}`), 'utf8')).toBe('the input');
    expect(await readFile(join(api.store.root, `${uuid}/inputs/s.py`), 'utf8')).toBe(script);
  });

  it('drops the directories of a file name', async () => {
    const api = await startApi();
    const body = clientBody('b', [
      { name: 'file', value: 'x', filename: '../../../etc/passwd', type: 'text/plain' },
      { name: 'script', value: script, filename: 'C:\\\\scripts\\\\s.py' },
    ]);
    const answer = await api.call('/jobs', { method: 'POST', body, headers: headers('b') });
    const { uuid } = (await answer.json()) as { uuid: string };
    expect((await readdir(api.store.paths(uuid).inputs)).sort()).toEqual(['passwd', 's.py']);
  });

  it.each([
    ['params that are not JSON', { params: '{' }, 'params'],
    ['config that is not JSON', { config: 'x' }, 'config'],
    ['config that is a list', { config: '[]' }, 'config'],
    ['config that is a number', { config: '5' }, 'config'],
    ['config that is null', { config: 'null' }, 'config'],
    ['an unknown process', { process: 'nope' }, 'nope'],
    ['an entrypoint that is not there', { config: '{"entrypoint": "nope"}' }, 'nope'],
    ['a time limit in quotes', { config: '{"time_limit": "3600"}' }, 'time_limit'],
    ['a negative time limit', { config: '{"time_limit": -1}' }, 'time_limit'],
    ['a queue name that cannot be one', { config: '{"queue": "a b"}' }, 'queue'],
    ['a callback that is no address', { config: '{"callback": {"url": "ftp://x"}}' }, 'callback.url'],
    ['more than ten retries', { config: '{"retries": 11}' }, 'retries'],
    ['a key that would replace the arguments of the task', { config: '{"args": [1]}' }, 'args'],
    ['brackets nested too deep', { params: '['.repeat(5000) }, 'nested'],
  ])('refuses %s with a structured 400 and keeps nothing', async (_, fields, named) => {
    const api = await startApi();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob(['model']), 'model.step');
    form.set('script', new Blob([script]), 's.py');
    const answer = await api.post(form);
    expect(answer.status).toBe(400);
    const { detail } = (await answer.json()) as { detail: { code: number; message: string; details: string } };
    expect(detail).toMatchObject({ code: 400, message: 'Bad Request' });
    expect(detail.details).toContain(named);
    expect(await api.leftovers()).toEqual([]);
    expect(api.engine.starts).toBe(0);
  });

  it.each([
    ['a syntax error', 'def main(:\n'],
    ['a NUL byte', 'def main(params, pc):\n    return "\0"\n'],
    ['bytes that are not UTF-8', Buffer.from([0x64, 0x65, 0x66, 0x20, 0xff, 0xfe])],
    ['only an async entrypoint', 'async def main(params, pc):\n    pass\n'],
  ])('refuses a script with %s', async (_, content) => {
    const api = await startApi();
    const form = new FormData();
    form.set('script', new Blob([content]), 's.py');
    const answer = await api.post(form);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: { code: 400 } });
    expect(await api.leftovers()).toEqual([]);
  });

  it.each(['file', 'script'])('refuses "%s" sent as text', async (field) => {
    const api = await startApi();
    const form = new FormData();
    form.set(field, 'text');
    const answer = await api.post(form);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: { code: 400, details: expect.stringContaining(field) } });
  });

  it('refuses a file with content but without a name', async () => {
    const api = await startApi();
    const body = clientBody('b', [
      { name: 'script', value: script, filename: 's.py' },
      { name: 'file', value: 'content', filename: '', type: 'application/octet-stream' },
    ]);
    const answer = await api.call('/jobs', { method: 'POST', body, headers: headers('b') });
    expect(answer.status).toBe(400);
    expect(await api.leftovers()).toEqual([]);
  });

  it.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['of garbage', 'multipart/form-data; boundary=abc', 'no form at all'],
    [
      'that ends in the middle',
      'multipart/form-data; boundary=abc',
      '--abc\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nab',
    ],
  ])('answers a form %s with a plain 400', async (_, type, body) => {
    const api = await startApi();
    const answer = await api.call('/jobs', { method: 'POST', body, headers: { 'content-type': type } });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: expect.any(String) });
    expect(await api.leftovers()).toEqual([]);
  });

  it('names the ignored fields, and where they belong, when the script is missing', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('data', new Blob(['model']), 'pump.step');
    form.set('Script', new Blob([script]), 's.py');
    form.set('queue', 'gpu');
    form.set('parameters', '{}');
    form.set('xyz', 'what is this');
    const answer = await api.post(form);
    expect(answer.status).toBe(400);
    const { detail } = (await answer.json()) as { detail: { details: string } };
    expect(detail.details).toContain('needs a script');
    expect(detail.details).toContain('"data" (the field is called "file")');
    expect(detail.details).toContain('"Script" (the field is called "script")');
    expect(detail.details).toContain('"queue" (belongs into "config": {"queue": …})');
    expect(detail.details).toContain('"parameters" (the field is called "params")');
    expect(detail.details).toContain('"xyz"');
    expect(detail.details).not.toContain('what is this');
    expect(await api.leftovers()).toEqual([]);
  });

  it('names ignored fields of a plain web form too, and not more than a few', async () => {
    const api = await startApi();
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, 'x']));
    const answer = await api.call('/jobs', {
      method: 'POST',
      body: new URLSearchParams({ time_limit: '5', ...fields }),
    });
    expect(answer.status).toBe(400);
    const { detail } = (await answer.json()) as { detail: { details: string } };
    expect(detail.details).toContain('"time_limit" (belongs into "config": {"time_limit": …})');
    expect(detail.details.length).toBeLessThan(1000);
  });

  it('answers a custom job without a script with 400', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('process', '');
    const answer = await api.post(form);
    expect(answer.status).toBe(400);
  });

  it('answers 503 in the plain shape when Temporal cannot be reached, and takes the job back', async () => {
    const api = await startApi();
    api.engine.down = true;
    const form = new FormData();
    form.set('script', new Blob([script]), 's.py');
    const answer = await api.post(form);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ detail: expect.stringContaining('Temporal') });
    expect(await api.leftovers()).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'full'],
    ['EROFS', 'read-only'],
  ])('answers 503 that says what is wrong with the share (%s), wherever it is met', async (code, word) => {
    const api = await startApi();
    vi.spyOn(api.store.files, 'write').mockRejectedValue(Object.assign(new Error(code), { code, errno: -1 }));
    onTestFinished(() => void vi.restoreAllMocks());
    const form = new FormData();
    form.set('process', 'nap');
    await writeFile(join(api.processes, 'nap.py'), script);
    for (const file of [null, new Blob(['x'])]) {
      if (file !== null) form.set('file', file, 'a.step');
      const answer = await api.post(form);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toEqual({ detail: expect.stringContaining(word) });
      expect(await api.leftovers()).toEqual([]);
    }
  });

  it('answers 413 for more than MAX_UPLOAD_SIZE, told by the header or found while reading', async () => {
    const api = await startApi({ options: { maxUploadBytes: 1000 } });
    const form = new FormData();
    form.set('script', new Blob(['#'.repeat(2000)]), 's.py');
    const told = await api.post(form);
    expect(told.status).toBe(413);
    expect(await told.json()).toMatchObject({ detail: { code: 413, details: expect.stringContaining('1000') } });
    const body = clientBody('b', [{ name: 'script', value: '#'.repeat(5000), filename: 's.py' }]);
    const found = await api.call('/jobs', {
      method: 'POST',
      body: new Blob([body]).stream(),
      duplex: 'half',
      headers: headers('b'),
    } as CallInit);
    expect(found.status).toBe(413);
    expect(await api.leftovers()).toEqual([]);
  });

  it('leaves nothing behind when the client goes away, whenever it does', async () => {
    const api = await startApi();
    const head =
      `POST /jobs HTTP/1.1\r\nHost: x\r\nx-api-key: ${token}\r\nContent-Length: 1000000\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\n\r\n';
    const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhalf';
    const pieces = [head, head + part.slice(0, 20), head + part, `${head}${part}\r\n--b\r\n`];
    for (let round = 0; round < 60; round++) {
      const socket = connect(api.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(pieces[round % pieces.length] ?? '');
      if (round % 3 === 0) await waitFor(async () => expect(await api.leftovers()).toHaveLength(1), { intervalMs: 0 });
      else await setTimeout(round % 7);
      if (round % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
      await waitFor(async () => expect(await api.leftovers()).toEqual([]), { intervalMs: 1 });
    }
  });
});
