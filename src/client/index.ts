/** The TypeScript client of the REST API: `import { PixyzClient } from 'pixyz-temporal-scheduler/client'`. */
export { type ClientOptions, PixyzClient, type Readiness } from './client.js';
export type { Downloaded, DownloadOptions } from './download.js';
export { ApiError, ConnectionError, RequestError } from './errors.js';
export type { FollowOptions } from './event-stream.js';
export type { GraphFiles, Graphs } from './graphs.js';
export type { CallOptions } from './http.js';
export { type ArchiveOptions, hasEnded, type Jobs, type LogChoice, type LogPiece, type SubmitOptions } from './jobs.js';
export type { OnProgress, Upload } from './multipart.js';
export type { RetryOptions } from './retry.js';
export type { Answer, Body, Call, Transport } from './transport.js';
export type * from './types.js';
export type { Workflows } from './workflows.js';
