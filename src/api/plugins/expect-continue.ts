import type { App } from '../deps.js';

/**
 * A client that sends `Expect: 100-continue` holds its body back until it is told to go on. Node says so by itself at
 * once; here it is said only after the hooks have let the request through, so a wrong token costs no upload at all.
 */
export function useExpectContinue(app: App): void {
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.addHook('preParsing', async (request, reply) => {
    if (request.headers.expect?.toLowerCase() === '100-continue') reply.raw.writeContinue();
  });
}
