import { CancellationScope, condition, getExternalWorkflowHandle, setHandler, sleep } from '@temporalio/workflow';
import type { PartReport } from '../graph/coordination.js';
import type { EndState } from '../graph/events.js';
import { Interpreter, records } from './interpreter.js';
import { type PartInput, reportPart, tellPart } from './parts.js';
import { loadNodes } from './plan.js';

/**
 * One part of a large graph: an interpreter that hears of other parts' nodes, and reports what ends in its own, through the
 * coordinator. It ends when the coordinator says so, since another part may want a node to run again.
 */
export async function pixyzGraphPart(input: PartInput): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const nodes = [...input.nodes];
    if (nodes.length === 0)
      for (const [first, count] of input.stretches)
        nodes.push(...(await loadNodes(records.loadPlan, input.graphId, first, count)));
    const own = new Set(nodes.map(({ index }) => index));
    const externals = new Set(nodes.flatMap(({ deps }) => deps.filter((dep) => !own.has(dep))));

    const reporter = new Reporter(input);
    const run = new Interpreter(nodes, {
      graphId: input.graphId,
      window: input.window,
      onFailure: input.onFailure,
      open: true,
      journal: input.journal ? 'nodes' : 'none',
      externals: [...externals],
      firstItem: input.firstItem,
      onChange: (node, state) => reporter.changed(node, state),
    });
    reporter.attach(run);
    setHandler(tellPart, (events) => {
      for (const event of events) {
        reporter.heard += 1;
        run.dispatch(event);
      }
      reporter.wake();
    });
    run.dispatch({ type: 'start' });
    reporter.wake();
    const reporting = reporter.report();
    await run.finished;
    reporter.stop();
    await reporting;
  });
}

/** Labels and messages of failures in one report. */
const mostFailures = 20;

/**
 * Sends what has changed, one report at a time: what comes meanwhile goes with the next. Early reports go at once, later
 * ones are spaced, since a workflow may get 10,000 signals at most; one that says "nothing left" never waits.
 */
class Reporter {
  heard = 0;
  readonly #input: PartInput;
  #run: Interpreter | null = null;
  #changes: [number, EndState | null][] = [];
  #news = false;
  #stopped = false;
  #sent = 0;

  constructor(input: PartInput) {
    this.#input = input;
  }

  attach(run: Interpreter): void {
    this.#run = run;
  }

  changed(node: number, state: EndState | null): void {
    this.#changes.push([node, state]);
    this.#news = true;
  }

  wake(): void {
    this.#news = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  async report(): Promise<void> {
    const coordinator = getExternalWorkflowHandle(this.#input.graphId);
    for (;;) {
      await condition(() => this.#news || this.#stopped);
      if (!this.#news) return;
      const pauseMs = this.#sent < 50 ? 0 : this.#sent < 250 ? 1000 : 10_000;
      if (pauseMs > 0)
        await Promise.race([sleep(pauseMs), condition(() => this.#stopped || this.#run?.core.counts.unended === 0)]);
      this.#sent += 1;
      // A coordinator that is gone (terminated) needs no report; the part then goes on until it is ended, too.
      await coordinator.signal(reportPart, this.#next()).catch(() => undefined);
    }
  }

  #next(): PartReport {
    const core = (this.#run as Interpreter).core;
    const changes = this.#changes;
    this.#changes = [];
    this.#news = false;
    const failures = changes
      .filter(([, state]) => state === 'failed')
      .slice(0, mostFailures)
      .map(([node]) => ({ node, label: core.nodeOf(node).label, message: core.failureOf(node) ?? '' }));
    return {
      part: this.#input.part,
      changes,
      failures,
      unended: core.counts.unended,
      heard: this.heard,
    };
  }
}
