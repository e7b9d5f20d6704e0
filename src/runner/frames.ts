/**
 * Frames between the runner and a child: four bytes of length (big-endian), then JSON. The other side runs users' code,
 * so nothing that arrives is trusted: a frame too large or not JSON is an error of the channel, not of ours.
 */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** Cuts a stream of bytes into messages. */
export class FrameReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;
  #wanted = 4;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are complete with this chunk, each before what follows it is looked at. @throws FrameError */
  *push(chunk: Buffer): Generator<unknown, void> {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= this.#wanted) {
      const data = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
      const size = data.readUInt32BE(0);
      if (size > this.#maxBytes) {
        throw new FrameError(`a message of ${size} bytes was announced, ${this.#maxBytes} are allowed`);
      }
      this.#parts = [data];
      this.#wanted = 4 + size;
      if (data.length < this.#wanted) break;
      const body = data.subarray(4, this.#wanted);
      const rest = data.subarray(this.#wanted);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
      this.#wanted = 4;
      yield parse(body);
    }
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new FrameError('a message is not JSON');
  }
}
