import type { MachineFacts } from './machine.js';
import type { Plan, Round } from './measure.js';
import { median, percentile, show, table } from './stats.js';
import type { System } from './system.js';

export interface Findings {
  readonly machine: MachineFacts;
  readonly versions: Readonly<Record<string, string>>;
  readonly plan: Plan;
  readonly stored: number;
  readonly systems: readonly System[];
  readonly rounds: Readonly<Record<string, readonly Round[]>>;
  readonly reads: Readonly<Record<string, { readonly p50: number; readonly p95: number; readonly how: string }>>;
}

/** What must be reached against the isolated rival, and for reads. */
export const targets = { p50Ratio: 0.7, throughputRatio: 1.3, readP95Ms: 5 };

export function report(findings: Findings): string {
  return [facts(findings), figures(findings), cpu(findings), stages(findings), verdicts(findings)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function facts({ machine, versions, plan }: Findings): string {
  const lines = [
    `Machine: ${machine.cores} cores, ${machine.cpu}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `Load before the start: ${machine.loadBefore.join(' ')}; cores busy with other work: ${percent(machine.busyBefore)}`,
    `Plan: after ${plan.warmBurst} jobs to warm up, ${plan.latencyJobs} single jobs polled every ${plan.pollMs} ms, then ${plan.burstJobs} jobs from ${plan.submitters} connections, per round`,
  ];
  if (machine.busyBefore > 0.1)
    lines.push('WARNING: the machine was not quiet before the start: figures are too high.');
  return lines.join('\n');
}

function figures({ systems, rounds, reads, stored }: Findings): string {
  const of = (system: System) => summary(rounds[system.key] ?? []);
  const own = systems.find((system) => system.key === 'ours');
  const others = own === undefined ? [] : systems.filter((system) => system !== own);
  const head = ['', ...systems.map((system) => system.label), ...others.map((system) => `ours / ${system.label}`)];
  const row = (title: string, pick: (system: System) => number, compare?: RoundFigure): string[] => [
    title,
    ...systems.map((system) => show(pick(system))),
    ...others.map((system) => {
      if (own === undefined) return '–';
      return ratio(
        compare === undefined
          ? pick(own) / pick(system)
          : median(ratios(rounds[own.key] ?? [], rounds[system.key] ?? [], compare)),
      );
    }),
  ];
  const rows = [
    row('trivial job, submit to SUCCESS, p50, ms', (system) => of(system).p50, p50Of),
    row('… p95, ms', (system) => of(system).p95),
    row('… p50 told by the event stream, ms', (system) => of(system).eventP50),
    row('… the POST alone, p50, ms', (system) => of(system).submitP50),
    row(
      'jobs/s',
      (system) => of(system).jobsPerSecond,
      (round) => round.jobsPerSecond,
    ),
    row('CPU per job, all processes, ms', (system) => of(system).cpuTotal, cpuOf),
    row('resident memory, MiB', (system) => of(system).residentMiB),
    row('cores used by others meanwhile, %', (system) => of(system).foreignLoad * 100).slice(0, systems.length + 1),
  ];
  if (stored > 0) {
    for (const p of ['p50', 'p95'] as const) {
      rows.push(row(`GET of a state, ${stored} jobs stored, ${p}, ms`, ({ key }) => reads[key]?.[p] ?? Number.NaN));
    }
  }
  return table(head, rows);
}

function cpu({ systems, rounds }: Findings): string {
  const rows = systems.flatMap((system) => {
    const kinds = Object.keys(rounds[system.key]?.[0]?.cpuPerJob ?? {});
    return kinds.map((kind) => [
      `${system.label}: ${kind}`,
      show(median((rounds[system.key] ?? []).map((round) => round.cpuPerJob[kind] ?? 0))),
      show(median((rounds[system.key] ?? []).map((round) => (round.residentBytes[kind] ?? 0) / 2 ** 20))),
    ]);
  });
  return table(['process class', 'CPU per job, ms', 'resident, MiB'], rows);
}

function stages({ rounds }: Findings): string {
  const all = (rounds['ours'] ?? []).map((round) => round.stages).filter((found) => found !== null);
  const names = Object.keys(all[0] ?? {});
  if (names.length === 0) return '';
  const rows = names.map((name) => {
    const samples = all.flatMap((found) => found[name] ?? []);
    return [name, show(median(samples)), show(percentile(samples, 0.95))];
  });
  return table(['where our milliseconds go (one job at a time)', 'p50, ms', 'p95, ms'], rows);
}

function verdicts({ systems, rounds, reads, stored }: Findings): string {
  const has = (key: string) => systems.some((system) => system.key === key);
  const lines: string[] = [];
  if (systems.some((system) => summary(rounds[system.key] ?? []).foreignLoad > 0.1)) {
    lines.push(
      'WARNING: other work used the cores meanwhile, not evenly: compare CPU per job, and repeat the run on a quiet machine.',
    );
  }
  if (has('ours') && has('isolated')) {
    const against = (figure: RoundFigure) => ratios(rounds['ours'] ?? [], rounds['isolated'] ?? [], figure);
    const latency = against(p50Of);
    const throughput = against((round) => round.jobsPerSecond);
    lines.push(
      verdict(
        `p50 against isolated: ${spread(latency)}, at most ${targets.p50Ratio}`,
        median(latency) <= targets.p50Ratio,
      ),
      verdict(
        `jobs/s against isolated: ${spread(throughput)}, at least ${targets.throughputRatio}`,
        median(throughput) >= targets.throughputRatio,
      ),
    );
  }
  const read = reads['ours'];
  if (read !== undefined) {
    lines.push(
      verdict(
        `GET of a state with ${stored} jobs, p95: ${show(read.p95)} ms, at most ${targets.readP95Ms} ms (jobs ${read.how})`,
        read.p95 <= targets.readP95Ms,
      ),
    );
  }
  if (has('bare')) {
    lines.push(
      'Bare Celery has no isolation: a crash, an exit or an endless loop of a script takes the worker along, nothing enforces a',
      'time limit, output cannot be told apart, and no progress is kept. It shows what isolation and durability cost.',
    );
  }
  return lines.join('\n');
}

type RoundFigure = (round: Round) => number;

const p50Of: RoundFigure = (round) => percentile(round.latencies, 0.5);
const cpuOf: RoundFigure = (round) => sum(round.cpuPerJob);

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

/** Of each round, ours by theirs: the two were measured seconds apart, so a machine that changes its speed hardly matters. */
function ratios(own: readonly Round[], others: readonly Round[], figure: RoundFigure): number[] {
  return own.flatMap((round, at) => {
    const other = others[at];
    return other === undefined ? [] : [figure(round) / figure(other)];
  });
}

function spread(values: readonly number[]): string {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(2)} (median of ${values.length} rounds, ${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
}

interface Summary {
  readonly p50: number;
  readonly p95: number;
  readonly eventP50: number;
  readonly submitP50: number;
  readonly jobsPerSecond: number;
  readonly cpuTotal: number;
  readonly residentMiB: number;
  readonly foreignLoad: number;
}

/** All rounds together: samples are pooled, figures per round give their median. Ratios are of rounds: {@link ratios}. */
export function summary(rounds: readonly Round[]): Summary {
  const latencies = rounds.flatMap((round) => round.latencies);
  return {
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    eventP50: median(rounds.flatMap((round) => round.eventLatencies)),
    submitP50: median(rounds.flatMap((round) => round.submits)),
    jobsPerSecond: median(rounds.map((round) => round.jobsPerSecond)),
    cpuTotal: median(rounds.map(cpuOf)),
    residentMiB: median(rounds.map((round) => sum(round.residentBytes) / 2 ** 20)),
    foreignLoad: median(rounds.map((round) => round.foreignLoad)),
  };
}

function verdict(text: string, reached: boolean): string {
  return `${reached ? 'reached' : 'MISSED '}  ${text}`;
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '–';
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
