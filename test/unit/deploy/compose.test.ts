import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../src/config/project-root.js';
import { readSettings } from '../../../src/config/settings.js';
import { knownQueues } from '../../../src/contract/queues.js';
import { dynamicConfigFile } from '../../../src/server/dynamic-config.js';

// There is no Docker engine where these tests run: what can be held without one is held here.

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const text = read('docker-compose.yml');
const dockerfile = read('deploy/Dockerfile');
const example = read('pixyz-scheduler.conf.example');

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly deploy?: { readonly replicas: number };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly user?: string;
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const variable = /\$\{([A-Z_]+)(?:(:[-+?])((?:[^{}]|\$\{[^{}]*\})*))?\}/g;

/** As Compose fills in variables: `${A}`, `${A:-default}`, `${A:+when set}`, `${A:?needed}`. */
function fillIn(source: string, values: Readonly<Record<string, string>>): string {
  return source.replace(variable, (_all, name: string, operator: string | undefined, rest = '') => {
    const value = values[name] ?? '';
    if (operator === ':+') return value === '' ? '' : fillIn(rest, values);
    if (value !== '') return value;
    if (operator === ':?') throw new Error(`${name}: ${rest}`);
    return fillIn(rest, values);
  });
}

/** Compose reads the file first and fills in texts then, so a value never changes what the file is. */
function compose(values: Readonly<Record<string, string>> = {}): Compose {
  const all = { POSTGRES_PASSWORD: 'x', ...values };
  const fill = (_key: string, value: unknown) => (typeof value === 'string' ? fillIn(value, all) : value);
  return JSON.parse(JSON.stringify(parse(text, { merge: true })), fill) as Compose;
}

const { services, networks, volumes } = compose();
const of = (name: string, all = services): Service => {
  const found = all[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};
const own = Object.entries(services).filter(([, { build }]) => build?.target === 'scheduler');
const workers = own.filter(([, { command }]) => command?.includes('dist/worker/main.js'));
const seconds = (duration: string): number => {
  const [, number = '', unit = ''] = /^(\d+)(s|m|h)$/.exec(duration) ?? [];
  return Number(number) * ({ s: 1, m: 60, h: 3600 }[unit] ?? Number.NaN);
};

describe('docker-compose.yml', () => {
  it('serves every queue exactly once by default, and no more queues than a service has Pixyz for', () => {
    const served = workers.flatMap(([, { environment = {}, deploy }]) =>
      Array.from({ length: deploy?.replicas ?? 1 }, () => readSettings(environment, '/').QUEUE_NAME).flat(),
    );
    expect(served.toSorted()).toEqual([...knownQueues].toSorted());
    expect(workers.map(([name]) => name)).toEqual(['worker', 'gpuhigh', 'control']);
    expect(readSettings(of('gpuhigh').environment ?? {}, '/').QUEUE_NAME).toEqual(['gpuhigh']);
    const control = readSettings(of('control').environment ?? {}, '/');
    expect(control.DISABLE_PIXYZ).toBe(true);
    expect(control.QUEUE_NAME).toEqual(['control', 'zip', 'clean']);
  });

  it('takes the queues of the worker from the file of settings, which every part of ours is given', () => {
    expect(of('worker').environment).not.toHaveProperty('QUEUE_NAME');
    for (const [name, { env_file }] of own) {
      expect(env_file, name).toEqual([{ path: 'pixyz-scheduler.conf', required: false }]);
    }
  });

  it('gives every part settings that it understands, with paths and addresses of inside', () => {
    for (const [name, { environment = {} }] of own) {
      const settings = readSettings(environment, '/');
      expect(settings.SHARE_PATH, name).toBe('/share');
      expect(settings.PROCESS_PATH, name).toBe('/process');
      expect(settings.TEMPORAL_ADDRESS, name).toBe('temporal:7233');
    }
    const share = (all: Compose) =>
      ['api', 'worker', 'gpuhigh', 'control'].map((name) =>
        of(name, all.services).volumes?.filter((volume) => /:\/(share|process)(:ro)?$/.test(volume)),
      );
    expect(new Set(share(compose()).map(String))).toEqual(new Set(['share:/share,./processes:/process:ro']));
    expect(new Set(share(compose({ SHARE_PATH: '/mnt/share', PROCESS_PATH: '/mnt/own' })).map(String))).toEqual(
      new Set(['/mnt/share:/share,/mnt/own:/process:ro']),
    );
  });

  it('gives the workflow files of this folder, or of WORKFLOWS_PATH, to the API', () => {
    expect(of('api').volumes).toContain('./workflows:/workflows:ro');
    expect(existsSync(join(projectRoot, 'workflows'))).toBe(true);
    expect(readSettings(of('api').environment ?? {}, '/').WORKFLOWS_PATH).toBe('/workflows');
    expect(of('api', compose({ WORKFLOWS_PATH: '/mnt/flows' }).services).volumes).toContain('/mnt/flows:/workflows:ro');
  });

  it('mounts the real Pixyz module where PIXYZ_PYTHON_PATH names its folder, and the open engine stays without', () => {
    const with_ = of('worker', compose({ PIXYZ_PYTHON_PATH: '/opt/sdk' }).services);
    expect(with_.volumes).toContain('/opt/sdk:/opt/pixyz-sdk:ro');
    expect(readSettings(with_.environment ?? {}, '/').PIXYZ_PYTHON_PATH).toBe('/opt/pixyz-sdk');
    expect(readSettings(of('worker').environment ?? {}, '/').PIXYZ_PYTHON_PATH).toBeUndefined();
  });

  it('publishes API and Web UI and nothing else, on this machine alone unless API_HOST says otherwise', () => {
    const published = (all: Compose) =>
      Object.entries(all.services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published(compose())).toEqual(['temporal-ui 127.0.0.1:8233:8233', 'api 127.0.0.1:8001:8001']);
    expect(published(compose({ API_HOST: '0.0.0.0', API_PORT: '80', TEMPORAL_UI_PORT: '9000' }))).toEqual([
      'temporal-ui 127.0.0.1:9000:8233',
      'api 0.0.0.0:80:8001',
    ]);
  });

  it('keeps scripts away from the database and from its password', () => {
    expect(networks['database']?.internal).toBe(true);
    const inDatabase = Object.entries(services).filter(([, service]) => service.networks?.includes('database'));
    expect(inDatabase.map(([name]) => name)).toEqual(['postgres', 'schema', 'temporal']);
    for (const [name, { environment, networks: joined }] of own) {
      expect(joined, name).toEqual(['pixyz']);
      // It is in the file of settings, which these are given as a whole.
      expect(environment?.['POSTGRES_PASSWORD'], name).toBe('');
    }
  });

  it('holds no secret, and refuses to start without a password for the database', () => {
    expect(() => fillIn(text, {})).toThrow(/POSTGRES_PASSWORD: .*pixyz-scheduler\.conf/);
    expect(text).not.toMatch(/PASSWORD(_SHA256)?: (?!\$\{|"")/);
  });

  it('has a default for every variable, or asks for it; each is in the example of the file of settings', () => {
    const names = [...text.matchAll(/\$\{([A-Z_]+)(:[-+?])?/g)];
    expect(names.length).toBeGreaterThan(20);
    for (const [all, name, operator] of names) {
      expect(operator, `${all} has no default`).toBeDefined();
      expect(example, name).toMatch(new RegExp(`^#${name}=`, 'm'));
    }
  });

  it('waits longer for a stopped worker than the worker does for its scripts', () => {
    for (const [name, { stop_grace_period = '', environment = {} }] of workers) {
      expect(seconds(stop_grace_period), name).toBeGreaterThan(readSettings(environment, '/').DRAIN_SECONDS + 30);
    }
    const shorter = of('worker', compose({ DRAIN_SECONDS: '60', STOP_GRACE: '2m' }).services);
    expect(readSettings(shorter.environment ?? {}, '/').DRAIN_SECONDS).toBe(60);
    expect(shorter.stop_grace_period).toBe('2m');
  });

  it('runs our parts as the user of UID and GID, who owns the share', () => {
    const { services: others } = compose({ UID: '1234', GID: '5678' });
    for (const [name] of own) expect(of(name, others).user, name).toBe('1234:5678');
    expect(of('share-owner', others).command?.slice(0, 2)).toEqual(['chown', '1234:5678']);
    expect(of('share-owner').command?.[1]).toBe('1001:1001');
  });

  it('pins every image: its own by their version, the server by that of go.mod', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    const server = /go\.temporal\.io\/server v([\d.]+)/.exec(read('tools/temporal/go.mod'))?.[1];
    for (const [name, { image, build }] of Object.entries(services)) {
      const tag = image.split(':')[1];
      if (build?.target === 'scheduler') expect(tag, name).toBe(version);
      else if (build?.target === 'temporal') expect(tag, name).toBe(`${server}-${version}`);
      else expect(tag, name).toMatch(/^\d+\.\d+-\w+$/);
    }
    const bases = [...dockerfile.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, image]) => image);
    expect(bases).toHaveLength(3);
    for (const image of bases) expect(image).toMatch(/^[a-z]+:\d+\.\d+(\.\d+)?-\S+$/);
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/^\$\{\w+_IMAGE\}$/);
  });

  it('takes the names of images that an older file of settings has', () => {
    const { services: others } = compose({ DOCKER_API_IMAGE: 'mine/api:1', DOCKER_WORKER_IMAGE: 'mine/worker:1' });
    expect(of('api', others).image).toBe('mine/api:1');
    for (const [name] of workers) expect(of(name, others).image).toBe('mine/worker:1');
  });

  it('builds from files and targets that are there, with the Go that go.mod wants', () => {
    for (const [name, { build }] of Object.entries(services)) {
      if (build === undefined) continue;
      expect(existsSync(join(projectRoot, build.context, build.dockerfile)), name).toBe(true);
      expect(dockerfile).toMatch(new RegExp(` AS ${build.target}$`, 'm'));
    }
    const [, go] = /^go (\S+)$/m.exec(read('tools/temporal/go.mod')) ?? [];
    expect(dockerfile).toContain(`golang:${go}-`);
    const ignored = read('.dockerignore');
    for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(' ').filter((one) => one !== '.')) {
        expect(existsSync(join(projectRoot, source)), source).toBe(true);
        const listed = ignored.split('\n').some((line) => line.startsWith('!') && source.startsWith(line.slice(1)));
        expect(listed, `${source} is in the context of the build`).toBe(true);
      }
    }
  });

  it('calls programs and files that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script = ''] of dockerfile.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(script);
    const mains = [
      ...own.map(([, { command }]) => command?.[0] ?? ''),
      ...dockerfile.matchAll(/dist\/[\w/-]+\.js/g),
    ].map(String);
    expect(mains).toContain('dist/server/main.js');
    for (const main of mains) {
      const source = main.replace(/^dist/, 'src').replace(/\.js$/, '.ts');
      expect(existsSync(join(projectRoot, source)), main).toBe(true);
    }
    expect(of('schema').command).toEqual(['/etc/temporal/set-up-schema.sh']);
    for (const file of ['server.yaml', 'ui.yaml', 'set-up-schema.sh']) {
      expect(existsSync(join(projectRoot, 'deploy', 'temporal', file)), file).toBe(true);
    }
  });

  it('gives the server the dynamic configuration of all the others, where its own configuration looks for it', () => {
    const mounted = of('temporal').volumes?.map((volume) => volume.split(':')) ?? [];
    expect(mounted.map(([host = '']) => join(projectRoot, host))).toEqual([dynamicConfigFile]);
    expect(read('deploy/temporal/server.yaml')).toContain(`default "${mounted[0]?.[1]}"`);
  });

  it('declares the volumes and networks that are used, keeps the database in one, and looks after every part', () => {
    expect(of('postgres').volumes).toEqual(['postgres:/var/lib/postgresql/data']);
    for (const [name, service] of Object.entries(services)) {
      for (const volume of service.volumes ?? []) {
        const host = volume.split(':')[0] as string;
        if (!/^[./]/.test(host)) expect(volumes, name).toHaveProperty(host);
      }
      for (const network of service.networks ?? []) expect(networks, name).toHaveProperty(network);
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(services, name).toHaveProperty(needed);
        if (condition === 'service_healthy') expect(of(needed).healthcheck, needed).toBeDefined();
        else expect(of(needed).restart, needed).not.toBe('unless-stopped');
      }
      // What stays up has a check; what ends has none.
      expect(service.healthcheck !== undefined, name).toBe(service.restart === 'unless-stopped');
    }
  });
});
