import { execFileSync } from 'node:child_process';
import { link, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../src/store/fingerprint.js';
import { archiveFilesOf } from '../../../src/store/layout.js';
import { type ApiUnderTest, startApi, token, writeOutput } from '../../support/api-under-test.js';
import { raw } from '../../support/raw-request.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';

describe('the list of outputs', () => {
  it('has the direct entries of every kind, in every state of the job', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'RUNNING' });
    await writeOutput(api.store, jobId, 'a.txt', 'a');
    await writeOutput(api.store, jobId, '.hidden', 'h');
    await writeOutput(api.store, jobId, 'sub/deep/b.txt', 'b');
    expect(await (await api.call(`/jobs/${jobId}/outputs`)).json()).toEqual({ outputs: ['.hidden', 'a.txt', 'sub'] });
    expect(await (await api.call(`/jobs/${jobId}/outputs?recursive=true`)).json()).toEqual({
      outputs: ['.hidden', 'a.txt', 'sub/deep/b.txt'],
      files: [
        { path: '.hidden', size: 1, modified: expect.any(String) },
        { path: 'a.txt', size: 1, modified: expect.any(String) },
        { path: 'sub/deep/b.txt', size: 1, modified: expect.any(String) },
      ],
    });
  });
});

describe('a download', () => {
  async function withFile(content: string | Buffer = '0123456789', name = 'a.txt') {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    const file = await writeOutput(api.store, jobId, name, content);
    return { api, jobId, file, path: `/jobs/${jobId}/outputs/${name}` };
  }

  it('has length, name, version and the note that ranges are taken', async () => {
    const { api, path } = await withFile();
    const answer = await api.call(path);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '10',
      'content-disposition': 'attachment; filename="a.txt"',
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^".+"$/),
      'last-modified': expect.stringContaining('GMT'),
    });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.text()).toBe('0123456789');
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=5-100', 206, '56789', 'bytes 5-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['bytes=4-2', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ])('answers the range %s with %i', async (range, status, body, contentRange) => {
    const { api, path } = await withFile();
    const answer = await api.call(path, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(body);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    expect(answer.headers.get('content-length')).toBe(String(body.length));
  });

  it('sends the whole file when the part asked for is of another version, and ignores other conditions', async () => {
    const { api, path } = await withFile();
    const etag = (await api.call(path)).headers.get('etag') ?? '';
    expect((await api.call(path, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status).toBe(200);
    expect((await api.call(path, { headers: { range: 'bytes=0-1', 'if-range': etag } })).status).toBe(206);
    expect((await api.call(path, { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  it('has the Content-Length that clients divide by, for an empty file too', async () => {
    const { api, path } = await withFile('');
    const answer = await api.call(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe('0');
  });

  it('finds nested paths, and writes names beyond ASCII as RFC 5987 wants', async () => {
    const api = await startApi();
    const { jobId } = await api.seed();
    await writeOutput(api.store, jobId, 'sub/deep/b c.txt', 'nested');
    await writeOutput(api.store, jobId, 'Prüfung "1".txt', 'x');
    // Generated clients write the slashes of a path parameter as %2F.
    for (const path of ['sub/deep/b%20c.txt', encodeURIComponent('sub/deep/b c.txt')]) {
      expect(await (await api.call(`/jobs/${jobId}/outputs/${path}`)).text()).toBe('nested');
    }
    const answer = await api.call(`/jobs/${jobId}/outputs/${encodeURIComponent('Prüfung "1".txt')}`);
    expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=utf-8''Pr%C3%BCfung%20%221%22.txt");
  });

  it('sends what was there at the start of a file that grows meanwhile', async () => {
    const { api, path, file } = await withFile(Buffer.alloc(8 * 2 ** 20, 'a'));
    const answer = await api.call(path);
    await writeFile(file, 'more', { flag: 'a' });
    expect((await answer.arrayBuffer()).byteLength).toBe(8 * 2 ** 20);
  });

  it.each([
    ['..%2Finputs%2Fscript.py', 400],
    ['..%2F..%2F..%2F..%2Fetc%2Fpasswd', 400],
    ['../inputs/script.py', 400],
    ['%2Fetc%2Fpasswd', 400],
    ['sub%2F..%2F..%2Fjob.json', 400],
    ['..%5Cjob.json', 400],
    ['a%00b', 400],
    ['out-link', 400],
    ['folder-link%2Fpasswd', 400],
    ['pipe', 400],
    ['sub', 400],
    ['', 400],
    ['nope.txt', 404],
    ['a.txt%2Fx', 404],
    ['broken-link', 404],
    ['x'.repeat(300), 404],
  ])('refuses the path "%s" with %i', async (path, status) => {
    const { api, jobId } = await withFile();
    const { outputs } = api.store.paths(jobId);
    await mkdir(join(outputs, 'sub'));
    await symlink('/etc/passwd', join(outputs, 'out-link'));
    await symlink('/etc', join(outputs, 'folder-link'));
    await symlink('nowhere', join(outputs, 'broken-link'));
    execFileSync('mkfifo', [join(outputs, 'pipe')]);
    const answer = await raw(api.port, 'GET', `/jobs/${jobId}/outputs/${path}`, { 'x-api-key': token });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: { code: status } });
  });

  it('is refused when the script has put a link in the place of a folder of its job', async () => {
    const { api, jobId } = await withFile();
    const paths = api.store.paths(jobId);
    await rm(paths.outputs, { recursive: true });
    await symlink('/etc', paths.outputs);
    await symlink('/etc', paths.logs);
    for (const path of ['outputs', 'outputs?recursive=true', 'outputs/passwd', 'logs', 'logs?tail=1']) {
      const answer = await api.call(`/jobs/${jobId}/${path}`);
      expect(answer.status, path).toBe(400);
      expect(await answer.text()).not.toContain('root:');
    }
    await rm(paths.logs);
    await mkdir(paths.logs);
    await symlink('/etc/passwd', join(paths.logs, '1.log'));
    expect((await api.call(`/jobs/${jobId}/logs?tail=1`)).status).toBe(400);
  });

  it('works where the share itself is reached through a link', async () => {
    const { api, path } = await withFile();
    const real = `${api.store.root}-real`;
    await rename(api.store.root, real);
    await symlink(real, api.store.root);
    expect(await (await api.call(path)).text()).toBe('0123456789');
  });

  it('follows a link that stays among the outputs', async () => {
    const { api, jobId, file } = await withFile();
    await symlink('a.txt', join(api.store.paths(jobId).outputs, 'latest'));
    await link(file, join(api.store.paths(jobId).outputs, 'hard'));
    expect(await (await api.call(`/jobs/${jobId}/outputs/latest`)).text()).toBe('0123456789');
    expect(await (await api.call(`/jobs/${jobId}/outputs?recursive=true`)).json()).toMatchObject({
      outputs: ['a.txt', 'hard', 'latest'],
    });
  });
});

describe('the archive', () => {
  /** What the zip activity does, as far as the API sees it. */
  async function makeArchive(api: ApiUnderTest, jobId: string, content: string, fingerprint?: string) {
    const paths = api.store.paths(jobId);
    const { zip, stamp } = archiveFilesOf(paths, jobId);
    await mkdir(paths.archives, { recursive: true });
    await writeFile(zip, content);
    await writeFile(stamp, JSON.stringify({ fingerprint: fingerprint ?? (await fingerprintOf(paths.outputs)) }));
  }

  it('is 404 for a job that is not there', async () => {
    const api = await startApi();
    expect((await api.call(`/jobs/${unknown}/outputs/archive`)).status).toBe(404);
    expect(await api.leftovers()).toEqual([]);
  });

  it('is 425 while the job has not ended', async () => {
    const api = await startApi();
    for (const status of ['PENDING', 'RUNNING', 'RETRY'] as const) {
      const { jobId } = await api.seed({ status });
      const answer = await api.call(`/jobs/${jobId}/outputs/archive`);
      expect(answer.status).toBe(425);
      expect(await answer.json()).toMatchObject({ detail: { code: 425, message: 'Too early' } });
    }
    expect(api.engine.archives).toEqual([]);
  });

  it.each(['SUCCESS', 'FAILURE', 'REVOKED'] as const)(
    'of a job that ended with %s is 425 with the task, then 200',
    async (status) => {
      const api = await startApi();
      const { jobId } = await api.seed({ status });
      await writeOutput(api.store, jobId, 'a.txt', 'a');
      const first = await api.call(`/jobs/${jobId}/outputs/archive`);
      expect(first.status).toBe(425);
      expect(await first.json()).toMatchObject({ detail: { details: expect.stringMatching(/task archive-/) } });
      expect(api.engine.archives).toEqual([
        { jobId, fingerprint: await fingerprintOf(api.store.paths(jobId).outputs) },
      ]);
      await makeArchive(api, jobId, 'zip bytes');
      const second = await api.call(`/jobs/${jobId}/outputs/archive`);
      expect(second.status).toBe(200);
      expect(second.headers.get('content-disposition')).toBe(`attachment; filename="${jobId}.zip"`);
      expect(second.headers.get('content-length')).toBe('9');
      expect(second.headers.get('content-type')).toBe('application/octet-stream');
      expect(await second.text()).toBe('zip bytes');
    },
  );

  it('is made anew when the outputs have changed', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    const file = await writeOutput(api.store, jobId, 'a.txt', 'a');
    await makeArchive(api, jobId, 'zip bytes');
    expect((await api.call(`/jobs/${jobId}/outputs/archive`)).status).toBe(200);
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect((await api.call(`/jobs/${jobId}/outputs/archive`)).status).toBe(425);
    expect(api.engine.archives).toHaveLength(1);
  });

  it('is not served while its note is missing or broken', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await makeArchive(api, jobId, 'half', 'another state');
    expect((await api.call(`/jobs/${jobId}/outputs/archive`)).status).toBe(425);
    await writeFile(archiveFilesOf(api.store.paths(jobId), jobId).stamp, '{');
    expect((await api.call(`/jobs/${jobId}/outputs/archive`)).status).toBe(425);
  });

  it('says so when nobody serves the queue zip', async () => {
    const api = await startApi();
    api.engine.stats.set('zip', { pollers: 0 });
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    const answer = await api.call(`/jobs/${jobId}/outputs/archive`);
    expect(await answer.json()).toMatchObject({
      detail: { details: expect.stringContaining('queue "zip" has no worker') },
    });
  });

  it('is 404 when the files of the job have been deleted', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS', cleanedAt: '2026-11-22T00:00:00+00:00' });
    expect((await api.call(`/jobs/${jobId}/outputs/archive`)).status).toBe(404);
  });

  it('can be fetched in parts', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await makeArchive(api, jobId, '0123456789');
    const answer = await api.call(`/jobs/${jobId}/outputs/archive`, { headers: { range: 'bytes=8-' } });
    expect([answer.status, await answer.text()]).toEqual([206, '89']);
  });
});
