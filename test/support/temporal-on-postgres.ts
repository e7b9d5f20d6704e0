import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/config/project-root.js';
import { dynamicConfigFile } from '../../src/server/dynamic-config.js';
import { isPortFree } from '../../src/server/free-ports.js';
import { type GuardedProcess, startGuarded } from '../../src/server/guarded-process.js';
import { connectWhenReady } from '../../src/server/prepare-namespace.js';
import type { TemporalPrograms } from '../../src/server/temporal-programs.js';
import type { RunningPostgres } from './postgres.js';

/** The server as `docker-compose.yml` and the systemd units run it: same configuration file, same script for the tables. */
export class TemporalOnPostgres {
  readonly address: string;
  readonly logFile: string;
  readonly #server: string;
  readonly #env: NodeJS.ProcessEnv;
  #running: GuardedProcess | null = null;

  private constructor(server: string, env: NodeJS.ProcessEnv, port: number, logFile: string) {
    this.#server = server;
    this.#env = env;
    this.address = `127.0.0.1:${port}`;
    this.logFile = logFile;
  }

  static async on(
    postgres: RunningPostgres,
    programs: TemporalPrograms & { readonly kind: 'server' },
    folder: string,
  ): Promise<TemporalOnPostgres> {
    mkdirSync(folder, { recursive: true });
    const port = await freeBlock();
    const env = {
      PATH: [dirname(programs.server), process.env['PATH']].join(delimiter),
      POSTGRES_PORT: String(postgres.port),
      POSTGRES_USER: postgres.user,
      POSTGRES_PASSWORD: postgres.password,
      TEMPORAL_PORT: String(port),
      TEMPORAL_DYNAMIC_CONFIG: dynamicConfigFile,
    };
    return new TemporalOnPostgres(programs.server, env, port, join(folder, 'temporal.log'));
  }

  /** What the one-shot service does before the server. */
  async setUpSchema(): Promise<void> {
    await promisify(execFile)(join(projectRoot, 'deploy', 'temporal', 'set-up-schema.sh'), { env: this.#env });
  }

  async start(): Promise<void> {
    this.#running = await startGuarded({
      command: this.#server,
      args: ['--config-file', join(projectRoot, 'deploy', 'temporal', 'server.yaml'), '--allow-no-auth', 'start'],
      env: this.#env,
      logFile: this.logFile,
      graceSeconds: 8,
    });
    await (await connectWhenReady(this.address, 60_000)).close();
  }

  async kill(): Promise<void> {
    if (this.#running === null) return;
    process.kill(-this.#running.pid, 'SIGKILL');
    await this.#running.exited;
    this.#running = null;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
  }
}

/** The ports that follow from TEMPORAL_PORT in server.yaml. */
const offsets = [0, 1, 2, 6, 10, 20, 21, 22, 26];

/** A port that is free with all that follow from it. PostgreSQL keeps ports in two bytes with a sign: below 32768. */
async function freeBlock(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(offsets.map((offset) => isPortFree(port + offset)));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no block of free ports was found');
}
