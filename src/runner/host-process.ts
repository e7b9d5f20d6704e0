import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { HostCommand, HostEvent } from './messages.js';
import type { RunnerLogger } from './options.js';

const keptErrorLines = 20;

export interface HostProcessEvents {
  onEvent(event: HostEvent): void;
  /** It has ended, or could not be started. Called once. */
  onEnd(why: { readonly sentence: string; readonly stderr: readonly string[]; readonly missing: boolean }): void;
}

/** The Python process that forks and watches children (`python -m pixyz_worker._host`). */
export class HostProcess {
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #errors: string[] = [];
  readonly ended: Promise<void>;

  constructor(
    python: string,
    environment: Record<string, string>,
    config: object,
    logger: RunnerLogger,
    events: HostProcessEvents,
  ) {
    this.#process = spawn(python, ['-m', 'pixyz_worker._host'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#control = this.#process.stdio[3] as Socket;
    this.#control.on('error', () => undefined); // its end is told by the process
    this.#control.write(`${JSON.stringify(config)}\n`);

    let buffered = '';
    this.#control.setEncoding('utf8');
    this.#control.on('data', (chunk: string) => {
      buffered += chunk;
      const lines = buffered.split('\n');
      buffered = lines.pop() ?? '';
      for (const line of lines) events.onEvent(JSON.parse(line) as HostEvent);
    });

    const { stdout, stderr } = this.#process;
    for (const stream of [stdout, stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#errors.push(line);
        if (this.#errors.length > keptErrorLines) this.#errors.shift();
        logger.info({ line }, 'the Python host said');
      });
    }

    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        // Without a pid it never started; otherwise 'close' follows.
        if (this.#process.pid !== undefined) return;
        events.onEnd({ sentence: error.message, stderr: [], missing: true });
        resolve();
      });
      this.#process.once('close', (code, signal) => {
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
        events.onEnd({ sentence: `the Python host ended with ${how}`, stderr: this.#errors, missing: false });
        resolve();
      });
    });
  }

  send(command: HostCommand): void {
    if (this.#control.writable) this.#control.write(`${JSON.stringify(command)}\n`);
  }

  /** Ends everything below it. Closing the channel has the same effect, should the command not be read. */
  async stop(patienceMs: number): Promise<void> {
    this.send({ op: 'stop' });
    this.#control.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), patienceMs);
    await this.ended;
    clearTimeout(timer);
  }
}
