import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../src/config/project-root.js';
import { readSettings } from '../../../src/config/settings.js';
import { GpuWatch } from '../../../src/worker/gpus.js';
import { SlotPool } from '../../../src/worker/slot-pool.js';
import { WorkerMetrics } from '../../../src/worker/worker-metrics.js';
import { reportWorker, startApi } from '../../support/api-under-test.js';
import { obtainPromtool } from '../../support/promtool.js';

// What lies in deploy/monitoring, against Prometheus' own tool and against what the program really tells.

const folder = join(projectRoot, 'deploy', 'monitoring');
const file = (name: string) => readFileSync(join(folder, name), 'utf8');
const run = promisify(execFile);
let promtool: string;

beforeAll(async () => {
  promtool = await obtainPromtool(readSettings(process.env, process.cwd()).PIXYZ_CACHE_PATH);
}, 120_000);

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
const rules = (parse(file('alerts.yml')) as Alerts).groups.flatMap((group) => group.rules);

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  }[];
}
const dashboard = JSON.parse(file('grafana-dashboard.json')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Metrics that an expression names. */
const namesIn = (text: string) => text.match(/\b(?:pixyz|http|process|nodejs)_\w+/g) ?? [];

class OneGpu extends GpuWatch {
  override get list() {
    return [{ index: 0, name: 'GPU', memoryTotal: 100, memoryUsed: 50, utilization: 7 }];
  }
}

/** What a scrape gets from an API with a worker, a GPU in it, that has ended an attempt. */
async function scrape(): Promise<string> {
  const api = await startApi();
  const slots = new SlotPool({ limit: 1, holdMs: 1, tasks: 0, onExhausted: () => undefined });
  const worker = new WorkerMetrics(slots, () => ({ warm: 1, running: 0, residentBytes: 1 }), new OneGpu());
  worker.attempt('cpu', 'succeeded', 1);
  await reportWorker(api, 'w1', { metrics: await worker.registry.getMetricsAsJSON() });
  await api.call('/jobs');
  return (await fetch(`${api.url}/metrics`)).text();
}

describe('the alert rules', () => {
  it('are rules, and fire when their tests say so', async () => {
    expect((await run(promtool, ['check', 'rules', join(folder, 'alerts.yml')])).stdout).toContain('SUCCESS');
    const { stdout } = await run(promtool, ['test', 'rules', join(folder, 'alerts.test.yml')], { cwd: folder });
    expect(stdout).toContain('SUCCESS');
  });

  it('each have a test in which they fire, and one in which they do not', () => {
    interface Tests {
      readonly tests: readonly {
        readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
      }[];
    }
    const tests = (parse(file('alerts.test.yml')) as Tests).tests.flatMap((test) => test.alert_rule_test);
    const fired = tests.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname);
    const quiet = tests.filter(({ exp_alerts }) => exp_alerts.length === 0).map(({ alertname }) => alertname);
    const names = rules.map(({ alert }) => alert).sort();
    expect([...new Set(fired)].sort()).toEqual(names);
    // Of the shares of attempts that fail, the other queues of the same test are the quiet case.
    expect([...new Set([...quiet, 'PixyzAttemptsFail'])].sort()).toEqual(names);
  });

  it('are what the example of a configuration loads', async () => {
    const { stdout } = await run(promtool, ['check', 'config', join(folder, 'prometheus.yml')]);
    expect(stdout).toContain('1 rule files found');
  });
});

describe('the dashboard', () => {
  it('asks in words that Prometheus understands', async () => {
    const queries = [...new Set(expressions)].map((expr) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:queue|worker)\b/g, '.*'),
    );
    const text = JSON.stringify({
      groups: [{ name: 'all', rules: queries.map((expr, at) => ({ record: `panel:${at}`, expr })) }],
    });
    const temporary = mkdtempSync(join(tmpdir(), 'pixyz-dashboard-'));
    onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
    writeFileSync(join(temporary, 'panels.yml'), text);
    const { stdout } = await run(promtool, ['check', 'rules', join(temporary, 'panels.yml')]);
    expect(stdout).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  it('has panels that do not cover each other', () => {
    const cells = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.get(`${x} ${y}`), `${title} covers another one`).toBeUndefined();
          cells.set(`${x} ${y}`, title);
        }
      }
    }
  });
});

describe('the metrics', () => {
  it('that rules and dashboard name are really told', async () => {
    const text = await scrape();
    const told = new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name]) => name));
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition);
    const named = [...rules.map(({ expr }) => expr), ...expressions, ...variables].flatMap(namesIn);
    expect(named.length).toBeGreaterThan(40);
    for (const name of new Set(named)) expect(told, name).toContain(name);
  });

  it('are in a form that Prometheus takes', async () => {
    const checked = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    checked.stderr.on('data', (chunk) => (said += String(chunk)));
    checked.stdin.end(await scrape());
    await new Promise((resolve) => checked.once('close', resolve));
    // What the libraries of Node.js call theirs is not for us to say.
    expect(said.split('\n').filter((line) => /^(?:error|pixyz_|http_)/.test(line))).toEqual([]);
  });
});
