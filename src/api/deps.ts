import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ScriptInspector } from '../contract/inspection.js';
import type { Engine } from '../engine/engine.js';
import type { JobStore } from '../store/job-store.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { WorkflowFiles } from '../workflow-files/workflow-files.js';

/**
 * What the API needs from outside. It never looks at the environment, the clock of Temporal or a Python interpreter by
 * itself: `main.ts` hands in the real ones, tests hand in their own.
 */
export interface ApiDeps {
  readonly options: ApiOptions;
  readonly store: JobStore;
  readonly engine: Engine;
  readonly inspector: ScriptInspector;
  /** Absent in tests of other things. */
  readonly workflowFiles?: WorkflowFiles;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  /** Absent in tests: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
}

/** One look costs a tenth of a millisecond where nothing has changed. */
export const defaultWatchMs = 50;

export interface ApiOptions {
  /** SHA-256 of the token, lower-case hexadecimal. */
  readonly tokenSha256: string;
  readonly maxUploadBytes: number;
  /** Signs the sessions of the page. Absent in tests: one that nobody else has. */
  readonly sessionSecret?: string;
  /** Folder of the shipped processes. */
  readonly processPath: string;
  readonly retryTimeLimit: number;
  readonly rescueWait: number;
  /** For links to traces, or null. */
  readonly temporalUi: { readonly url: string; readonly namespace: string } | null;
  /** Wrong tokens of one address within a minute until it must wait. Default 20. */
  readonly maxWrongTokens?: number;
  /** How often watched records and logs are looked at, ms. Default {@link defaultWatchMs}. */
  readonly watchIntervalMs?: number;
  /** Silence on an event stream after which a comment is sent, ms. Default 15,000. */
  readonly keepAliveMs?: number;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
export type Request = FastifyRequest;
export type Reply = FastifyReply;
