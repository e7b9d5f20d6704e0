import { apiError } from './errors.js';
import { type RetryOptions, withRetries } from './retry.js';
import { type Answer, type Body, type Call, type Transport, textOf } from './transport.js';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Calls with their errors and retries; what is above it knows paths and shapes only. */
export class Http {
  readonly #transport: Transport;
  readonly #retry: RetryOptions;

  constructor(transport: Transport, retry: RetryOptions) {
    this.#transport = transport;
    this.#retry = retry;
  }

  get<T>(path: string, query: Query = {}, options: CallOptions = {}): Promise<T> {
    return this.#json<T>({ method: 'GET', path: path + queryText(query), signal: options.signal }, true);
  }

  delete<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#json<T>({ method: 'DELETE', path, signal: options.signal }, true);
  }

  /** @param repeatable sending it twice does what sending it once does */
  post<T>(
    path: string,
    options: CallOptions & {
      readonly body?: Body;
      readonly headers?: Readonly<Record<string, string>>;
      readonly repeatable: boolean;
    },
  ): Promise<T> {
    const { repeatable, ...call } = options;
    return this.#json<T>({ method: 'POST', path, ...call }, repeatable);
  }

  patch<T>(path: string, body: Body, options: CallOptions = {}): Promise<T> {
    return this.#json<T>({ method: 'PATCH', path, body, signal: options.signal }, true);
  }

  async text(path: string, query: Query = {}, options: CallOptions = {}): Promise<string> {
    return withRetries(
      async () => textOf(await this.open({ method: 'GET', path: path + queryText(query), signal: options.signal })),
      { ...this.#retry, repeatable: true, signal: options.signal },
    );
  }

  /** The answer's text, whatever its status; one try. */
  async textOfAny(path: string, { signal }: CallOptions = {}): Promise<string> {
    return textOf(await this.#transport({ method: 'GET', path, signal }));
  }

  /** One try; an answer of 400 and above is thrown. */
  async open(call: Call): Promise<Answer> {
    const answer = await this.#transport(call);
    if (answer.status < 400) return answer;
    throw apiError(answer.status, answer.headers, await textOf(answer));
  }

  retrying<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetries(work, { ...this.#retry, repeatable: true, signal });
  }

  #json<T>(call: Call, repeatable: boolean): Promise<T> {
    return withRetries(
      async () => {
        const answer = await this.open(call);
        const text = await textOf(answer);
        try {
          return JSON.parse(text) as T;
        } catch {
          throw apiError(
            answer.status,
            answer.headers,
            `${call.path} answered no JSON: is this the address of the API?`,
          );
        }
      },
      { ...this.#retry, repeatable, signal: call.signal },
    );
  }
}

export function jsonBody(value: unknown): Body {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    type: 'application/json',
    sizeBytes: bytes.length,
    async *open() {
      yield bytes;
    },
  };
}

export function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) parameters.append(name, String(one));
    }
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
