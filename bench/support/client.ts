import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The client that measures, the same for every system: HTTP/1.1 with keep-alive, the six-part body that the real
 * client sends, state read through `GET /jobs/{id}/details`.
 */
export class JobClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #base: URL;
  readonly #token: string;
  readonly #body: Buffer;
  readonly #boundary = 'pixyz-benchmark-0123456789abcdef';

  constructor(base: string, token: string, script: string) {
    this.#base = new URL(base);
    this.#token = token;
    this.#body = multipart(this.#boundary, script);
  }

  /** Submits the trivial job; resolves with its id. */
  async submit(): Promise<string> {
    const answer = await this.#call('POST', '/jobs', this.#body, `multipart/form-data; boundary=${this.#boundary}`);
    if (answer.status !== 200) throw new Error(`POST /jobs answered ${answer.status}: ${answer.text}`);
    return (JSON.parse(answer.text) as { uuid: string }).uuid;
  }

  async status(jobId: string): Promise<string> {
    const answer = await this.get(`/jobs/${jobId}/details`);
    if (answer.status !== 200) throw new Error(`GET details answered ${answer.status}: ${answer.text}`);
    const status = (JSON.parse(answer.text) as { status: string }).status;
    if (status === 'FAILURE' || status === 'REVOKED') throw new Error(`job ${jobId} ended ${status}: ${answer.text}`);
    return status;
  }

  get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    return this.#call('GET', path);
  }

  /** Asks every `everyMs` until the job has succeeded; resolves with the number of questions. */
  async waitForSuccess(jobId: string, everyMs: number): Promise<number> {
    for (let polls = 1; ; polls++) {
      if ((await this.status(jobId)) === 'SUCCESS') return polls;
      await sleep(everyMs);
    }
  }

  /** Resolves when the job's event stream says that it has succeeded. */
  async waitForEvent(path: string, isEnd: (text: string) => boolean): Promise<void> {
    const options = { agent: this.#agent, headers: { 'x-api-key': this.#token, accept: 'text/event-stream' } };
    await new Promise<void>((resolve, reject) => {
      const call = request(new URL(path, this.#base), options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (isEnd(text)) {
            resolve();
            call.destroy();
          }
        });
        response.on('end', () => reject(new Error(`the event stream ended early (${response.statusCode}): ${text}`)));
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, body?: Buffer, type?: string): Promise<{ status: number; text: string }> {
    const headers: Record<string, string | number> = { 'x-api-key': this.#token };
    if (body !== undefined && type !== undefined) {
      headers['content-type'] = type;
      headers['content-length'] = body.length;
    }
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.#base), { method, agent: this.#agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
        );
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}

function multipart(boundary: string, script: string): Buffer {
  const config = JSON.stringify({ entrypoint: 'main', queue: null, time_limit: 3600 });
  const text: [string, string][] = [
    ['process', 'custom'],
    ['params', '{}'],
    ['config', config],
    ['name', ''],
    ['file', ''],
  ];
  const parts = text.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  parts.push(
    `--${boundary}\r\nContent-Disposition: form-data; name="script"; filename="trivial.py"\r\nContent-Type: text/plain\r\n\r\n${script}\r\n`,
    `--${boundary}--\r\n`,
  );
  return Buffer.from(parts.join(''));
}
