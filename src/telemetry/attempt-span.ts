import type { AttemptInput } from '../contract/graph.js';
import { graphIdOf, nodeIndexOf } from '../contract/ids.js';
import type { FaultKind, JobSpec } from '../contract/job.js';
import type { ProgressSnapshot } from '../contract/runner.js';
import type { Span, Tracing } from './tracing.js';

/** The span of an attempt, and one for each step that its script tells of: scripts need no OpenTelemetry of their own. */
export class AttemptSpan {
  readonly #tracing: Tracing;
  readonly #span: Span;
  readonly #stepsSince: number[] = [];
  #last: ProgressSnapshot | null = null;

  constructor(tracing: Tracing, input: AttemptInput, spec: JobSpec, worker: string) {
    this.#tracing = tracing;
    const label = spec.name ?? (spec.process === 'custom' ? spec.entrypoint : spec.process);
    this.#span = tracing.begin(`attempt ${label}`, {
      parent: spec.trace,
      kind: 'consumer',
      attributes: {
        'pixyz.job': input.jobId,
        'pixyz.attempt': input.attempt,
        'pixyz.queue': input.queue,
        'pixyz.worker': worker,
        'pixyz.process': spec.process,
        ...(input.graph === true
          ? { 'pixyz.graph': graphIdOf(input.jobId), 'pixyz.node': nodeIndexOf(input.jobId) }
          : {}),
      },
    });
  }

  /** What the script, and what it sends, goes on with. */
  get trace(): string {
    return this.#span.trace;
  }

  progress(snapshot: ProgressSnapshot): void {
    this.#last = snapshot;
    while (this.#stepsSince.length < snapshot.steps.length) this.#stepsSince.push(Date.now());
  }

  end(outcome: 'succeeded' | FaultKind, message?: string): void {
    const now = Date.now();
    for (const [at, { info, duration }] of (this.#last?.steps ?? []).entries()) {
      const startedAt = this.#stepsSince[at] ?? now;
      const step = this.#tracing.begin(info || 'step', { parent: this.trace, startedAt });
      step.end({ at: duration < 0 ? now : Math.min(now, startedAt + duration * 1000) });
    }
    this.#span.set({ 'pixyz.outcome': outcome });
    this.#span.end(outcome === 'succeeded' ? {} : { error: message ?? outcome });
  }
}
