import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ScriptWorker } from './script-worker.js';

/**
 * A worker's own small HTTP server: `/healthz` (the process answers), `/readyz` (it takes tasks), `/metrics` (its own, and
 * those of the Temporal SDK where `sdkMetrics` knows how to get them).
 */
export async function serveHealth(
  worker: ScriptWorker,
  options: { readonly host: string; readonly port: number; readonly sdkMetrics: () => Promise<string> },
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    void answer(worker, request.url ?? '/', options.sdkMetrics).then(
      ({ status, type, body }) =>
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await listen(server, options.host, options.port);
  return { port: (server.address() as AddressInfo).port, close: () => server.close().closeAllConnections() };
}

async function answer(
  worker: ScriptWorker,
  url: string,
  sdkMetrics: () => Promise<string>,
): Promise<{ status: number; type: string; body: string }> {
  switch (url.split('?')[0]) {
    case '/healthz':
      return json(200, { worker: worker.name, state: worker.state() });
    case '/readyz':
      return json(worker.state() === 'RUNNING' ? 200 : 503, { worker: worker.name, state: worker.state() });
    case '/metrics':
      return {
        status: 200,
        type: worker.metrics.registry.contentType,
        body: `${await worker.metrics.registry.metrics()}\n${await sdkMetrics()}`,
      };
    default:
      return json(404, { detail: 'Not Found' });
  }
}

function json(status: number, body: object): { status: number; type: string; body: string } {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
