import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { ApiError, PixyzClient } from '../client/index.js';
import type { Settings } from '../config/settings.js';
import { isPortFree } from '../server/free-ports.js';
import { findPython, locatePython } from '../setup/python-environment.js';
import { checkPython, checkWritable } from '../start/checks.js';
import { type ConnectionChoice, isLocal } from './connection.js';

/** One finding: `bad` keeps things from working, `warn` may. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'bad';
  readonly detail: string;
  /** What to do about it. */
  readonly fix?: string;
}

const oldestNode = [20, 19] as const;
const licenceMs = 3000;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const recent = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return recent
    ? { check: 'node', state: 'ok', detail: version }
    : {
        check: 'node',
        state: 'bad',
        detail: `${version} is too old`,
        fix: `install Node.js ${oldestNode.join('.')} or newer`,
      };
}

/** The system at the address: whether it answers, can work, and takes the token. */
export async function checkServer(client: PixyzClient, connection: ConnectionChoice): Promise<Finding[]> {
  const { url } = connection;
  const local = isLocal(url);
  try {
    const { parts } = await client.ready();
    const told = (['temporal', 'share', 'workers'] as const).map((part): Finding => {
      const { ok, detail } = parts[part];
      if (ok) return { check: part, state: 'ok', detail };
      return { check: part, state: part === 'workers' ? 'warn' : 'bad', detail, fix: fixes[part] };
    });
    return [{ check: 'API', state: 'ok', detail: url }, ...told, await checkToken(client, connection)];
  } catch (error) {
    const fix = local ? 'start the system: pixyz up' : 'check -u, PIXYZ_URL, and that the API can be reached from here';
    return [{ check: 'API', state: 'bad', detail: (error as Error).message.split('\n')[0] ?? '', fix }];
  }
}

const fixes = {
  temporal: 'start the Temporal server, or check TEMPORAL_ADDRESS of the API',
  share: 'check SHARE_PATH of the API: it must be there and writable',
  workers: 'start one: pixyz up worker',
} as const;

async function checkToken(client: PixyzClient, { token, tokenFrom }: ConnectionChoice): Promise<Finding> {
  const fix = 'give it with -t, PIXYZ_TOKEN or the config file; a local system keeps it in .data/api-token';
  if (token === null) return { check: 'token', state: 'bad', detail: 'none was found', fix };
  try {
    await client.jobs.list({ limit: 1 });
    return { check: 'token', state: 'ok', detail: `of ${tokenFrom}, accepted` };
  } catch (error) {
    const refused = error instanceof ApiError && (error.status === 401 || error.status === 429);
    return refused
      ? { check: 'token', state: 'bad', detail: `of ${tokenFrom}, refused`, fix }
      : { check: 'token', state: 'warn', detail: `not tried: ${(error as Error).message}` };
  }
}

/** What a system on this machine needs. @param url where the API was looked for */
export async function checkMachine(settings: Settings, url: string, apiIsUp: boolean): Promise<Finding[]> {
  const elsewhere = apiIsUp ? null : await ownApi(settings, url);
  return [
    await checkInterpreter(settings),
    attempt('share here', settings.SHARE_PATH, 'check SHARE_PATH', () =>
      checkWritable(settings.SHARE_PATH, 'SHARE_PATH'),
    ),
    ...(elsewhere === null ? await checkPorts(settings, apiIsUp) : [elsewhere]),
    await checkLicence(settings),
  ];
}

async function checkInterpreter({ PYTHON, PIXYZ_CACHE_PATH }: Settings): Promise<Finding> {
  try {
    if (PYTHON !== undefined) {
      await checkPython(PYTHON);
      return { check: 'python', state: 'ok', detail: `${PYTHON} (PYTHON)` };
    }
    const { version } = await findPython();
    await locatePython(PIXYZ_CACHE_PATH);
    return { check: 'python', state: 'ok', detail: version };
  } catch (error) {
    return { check: 'python', state: 'bad', detail: (error as Error).message, fix: 'npm run setup, or set PYTHON' };
  }
}

/** Set up with another port than the command was told: the most likely reason why nobody answers. */
async function ownApi({ API_PORT }: Settings, url: string): Promise<Finding | null> {
  const own = `http://127.0.0.1:${API_PORT}`;
  if (API_PORT === 0 || own === url) return null;
  try {
    await new PixyzClient({ url: own, retry: { retries: 0 } }).ready();
    return {
      check: 'address',
      state: 'bad',
      detail: `the system of this machine is at ${own}`,
      fix: `PIXYZ_URL=${own}`,
    };
  } catch {
    return null;
  }
}

function attempt(check: string, detail: string, fix: string, work: () => void): Finding {
  try {
    work();
    return { check, state: 'ok', detail };
  } catch (error) {
    return { check, state: 'bad', detail: (error as Error).message, fix };
  }
}

async function checkPorts(settings: Settings, apiIsUp: boolean): Promise<Finding[]> {
  const ports: readonly (readonly [string, number, string])[] = [
    ['API_PORT', settings.API_PORT, settings.API_HOST],
    ...(settings.TEMPORAL_ADDRESS === undefined
      ? ([
          ['TEMPORAL_PORT', settings.TEMPORAL_PORT, '127.0.0.1'],
          ['TEMPORAL_UI_PORT', settings.TEMPORAL_UI_PORT, '127.0.0.1'],
        ] as const)
      : []),
  ];
  const taken: string[] = [];
  for (const [name, port, host] of ports)
    if (port !== 0 && !(await isPortFree(port, host))) taken.push(`${port} (${name})`);
  const all = ports.map(([, port]) => port).join(', ');
  if (taken.length === 0) return [{ check: 'ports', state: 'ok', detail: `${all} are free` }];
  if (apiIsUp) return [{ check: 'ports', state: 'ok', detail: `${taken.join(', ')} in use: the system is up` }];
  const fix = 'end the program that has them, or set other numbers (0: any free one)';
  return [{ check: 'ports', state: 'bad', detail: `${taken.join(', ')} taken by another program`, fix }];
}

async function checkLicence(settings: Settings): Promise<Finding> {
  const { DISABLE_PIXYZ, PIXYZ_PYTHON_PATH, LICENSE_FLEXLM, LICENSE_HOST, LICENSE_PORT } = settings;
  if (DISABLE_PIXYZ) return { check: 'licence', state: 'ok', detail: 'none needed: DISABLE_PIXYZ is set' };
  if (PIXYZ_PYTHON_PATH === undefined) {
    const open = { check: 'licence', detail: 'none needed: the open engine is used' } as const;
    if (!LICENSE_FLEXLM) return { ...open, state: 'ok' };
    const fix = 'to use Pixyz, name the folder of its pxz module in PIXYZ_PYTHON_PATH';
    return { ...open, state: 'warn', detail: `${open.detail}, although LICENSE_FLEXLM is set`, fix };
  }
  if (!existsSync(PIXYZ_PYTHON_PATH))
    return {
      check: 'pixyz',
      state: 'bad',
      detail: `there is no folder ${PIXYZ_PYTHON_PATH}`,
      fix: 'correct PIXYZ_PYTHON_PATH; without it the open engine is used',
    };
  if (!LICENSE_FLEXLM)
    return { check: 'licence', state: 'ok', detail: 'bound to this machine; a worker takes it when it starts' };
  const fix = 'check LICENSE_HOST and LICENSE_PORT, and that the licence server runs';
  if (LICENSE_HOST === undefined)
    return { check: 'licence', state: 'bad', detail: 'LICENSE_FLEXLM without LICENSE_HOST', fix };
  const at = `${LICENSE_HOST}:${LICENSE_PORT}`;
  return (await answers(LICENSE_HOST, LICENSE_PORT))
    ? { check: 'licence', state: 'ok', detail: `the server at ${at} answers` }
    : { check: 'licence', state: 'bad', detail: `nobody answers at ${at}`, fix };
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: licenceMs });
    const end = (ok: boolean) => {
      socket.destroy();
      resolve(ok);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
