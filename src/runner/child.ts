import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { encodeFrame, FrameError, FrameReader } from './frames.js';
import { type ChildMessage, childMessageSchema } from './messages.js';

/** Largest message that a child may send: progress of very many steps. Results above the inline limit go to a file. */
const maxMessageBytes = 16 << 20;

export interface ChildListener {
  onMessage(message: ChildMessage): void;
  onGarbage(detail: string): void;
  onEnd(): void;
}

/** A child's socket, before and after it is known who speaks there. */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader(maxMessageBytes);
  #listener: ChildListener;
  #broken = false;

  constructor(socket: Socket, listener: ChildListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk) => this.#read(chunk as Buffer));
    socket.on('error', () => undefined); // a reset is an end; 'close' follows
    socket.once('close', () => this.#listener.onEnd());
  }

  listen(listener: ChildListener): void {
    this.#listener = listener;
  }

  send(message: unknown): void {
    this.#socket.write(encodeFrame(message));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#broken) return;
    try {
      for (const data of this.#reader.push(chunk)) {
        const message = childMessageSchema.safeParse(data);
        if (!message.success) throw new FrameError('a message is none of those that it may send');
        this.#listener.onMessage(message.data);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#broken = true;
      this.#listener.onGarbage(error.message);
    }
  }
}

/** A child that is ready, with its socket and the pipe that its output comes through. */
export class Child {
  readonly pid: number;
  /** The private folder of its task: an unpacked archive, or nothing. */
  readonly inputDir: string;
  readonly log: Socket;
  readonly #connection: Connection;

  /** @throws when the child has ended meanwhile and its pipe is gone. */
  constructor(pid: number, logPath: string, inputDir: string, connection: Connection) {
    this.pid = pid;
    this.inputDir = inputDir;
    this.#connection = connection;
    // Without O_NONBLOCK, opening would wait for a writer and block the whole process.
    const fd = openSync(logPath, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      unlinkSync(logPath);
      this.log = new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.log.on('error', () => undefined);
  }

  listen(listener: ChildListener): void {
    this.#connection.listen(listener);
  }

  send(message: unknown): void {
    this.#connection.send(message);
  }

  close(): void {
    this.#connection.close();
    this.log.destroy();
  }
}
