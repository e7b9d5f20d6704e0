import type { Reply, Request } from '../deps.js';

/** What is still read of a refused body, so that the answer is not lost in a connection reset. */
const lingerMs = 1000;
const lingerBytes = 1024 * 1024;

/**
 * Answers a request whose body has not been read, then closes the connection without reading all of it.
 *
 * Closing at once would reset the connection while the client still sends, and many clients then never see the answer.
 * So the end of our side is sent first, a bounded rest of the body is thrown away, and only then the socket closes:
 * a client that keeps sending gets "broken pipe" and finds the answer already there.
 * Does nothing when the body has arrived as a whole.
 */
export function closeGently(request: Request, reply: Reply): void {
  const { raw } = request;
  if (raw.complete || !hasBody(request) || reply.raw.headersSent) return;
  reply.header('connection', 'close');
  raw.unpipe();
  const { socket } = raw;
  let left = lingerBytes;
  let ended = false;
  // Read from now on: Node would take a body that nobody reads off the line by itself, to the last byte.
  raw.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0 && ended) socket.destroy();
  });
  raw.resume();
  // Node calls `destroySoon` when the last answer of a connection has been written.
  socket.destroySoon = () => {
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
    raw.once('end', () => socket.destroy());
    socket.end(() => {
      ended = true;
      if (left < 0 || raw.complete) socket.destroy();
    });
  };
}

function hasBody(request: Request): boolean {
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
