import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { GraphSignals } from '../contract/graph.js';
import type { GraphEngine, GraphPage, GraphQuery, SignalOutcome } from './graph-engine.js';
import { stateFilter } from './list-filter.js';
import { firstText, quoted } from './visibility.js';

/** Graphs that a front has sent as such; single jobs have no such label. */
const isGraph = `PixyzGraph IS NOT NULL`;

export class TemporalGraphEngine implements GraphEngine {
  readonly #client: Client;
  readonly #connection: NativeConnection;
  readonly #namespace: string;

  constructor(client: Client, connection: NativeConnection, namespace: string) {
    this.#client = client;
    this.#connection = connection;
    this.#namespace = namespace;
  }

  signal<N extends keyof GraphSignals>(graphId: string, name: N, ...args: GraphSignals[N]): Promise<SignalOutcome> {
    return this.#tell(graphId, (handle) => handle.signal(name, ...args));
  }

  cancel(graphId: string): Promise<SignalOutcome> {
    return this.#tell(graphId, (handle) => handle.cancel());
  }

  /** The server takes a cancel request, but no signal, for a run that has ended: so the state is asked first. */
  async #tell(
    graphId: string,
    send: (handle: ReturnType<Client['workflow']['getHandle']>) => Promise<unknown>,
  ): Promise<SignalOutcome> {
    const handle = this.#client.workflow.getHandle(graphId);
    let isKnown = false;
    try {
      const { status } = await handle.describe();
      isKnown = true;
      if (status.name !== 'RUNNING') return 'already-ended';
      await send(handle);
      return 'sent';
    } catch (error) {
      // It may have ended between the two calls.
      if (error instanceof WorkflowNotFoundError) return isKnown ? 'already-ended' : 'unknown';
      throw error;
    }
  }

  async failureOf(graphId: string): Promise<string | null> {
    const handle = this.#client.workflow.getHandle(graphId);
    try {
      const { status } = await handle.describe();
      if (status.name !== 'FAILED') return null;
      await handle.result();
      return null;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      if (error instanceof WorkflowFailedError) return error.cause?.message ?? error.message;
      throw error;
    }
  }

  async list(query: GraphQuery): Promise<GraphPage> {
    const answer = await this.#connection.workflowService.listWorkflowExecutions({
      namespace: this.#namespace,
      pageSize: query.limit,
      query: graphFilter(query),
      ...(query.cursor === undefined ? {} : { nextPageToken: Buffer.from(query.cursor, 'base64url') }),
    });
    const token = answer.nextPageToken;
    return {
      graphIds: (answer.executions ?? []).map(({ execution }) => execution?.workflowId ?? ''),
      names: (answer.executions ?? []).map(({ searchAttributes }) =>
        firstText(searchAttributes?.indexedFields?.['PixyzName']?.data),
      ),
      next: token == null || token.length === 0 ? null : Buffer.from(token).toString('base64url'),
    };
  }

  async count(): Promise<Readonly<Record<'open' | 'success' | 'failure' | 'revoked', number>>> {
    const count = async (state: keyof typeof stateFilter): Promise<number> => {
      const answer = await this.#connection.workflowService.countWorkflowExecutions({
        namespace: this.#namespace,
        query: `${isGraph} AND (${stateFilter[state]})`,
      });
      return Number(answer.count ?? 0);
    };
    const [open, success, failure, revoked] = await Promise.all([
      count('OPEN'),
      count('SUCCESS'),
      count('FAILURE'),
      count('REVOKED'),
    ]);
    return { open, success, failure, revoked };
  }
}

export function graphFilter(query: Omit<GraphQuery, 'limit' | 'cursor'>): string {
  const parts = [isGraph];
  if (query.states.length > 0) parts.push(`(${query.states.map((state) => `(${stateFilter[state]})`).join(' OR ')})`);
  if (query.name !== undefined) parts.push(`PixyzName = ${quoted(query.name)}`);
  if (query.front !== undefined) parts.push(`PixyzGraph = ${quoted(query.front)}`);
  if (query.since !== undefined) parts.push(`StartTime >= '${query.since.toISOString()}'`);
  if (query.until !== undefined) parts.push(`StartTime <= '${query.until.toISOString()}'`);
  return parts.join(' AND ');
}
