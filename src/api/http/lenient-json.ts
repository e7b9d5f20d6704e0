import type { App } from '../deps.js';

const maxBytes = 1024 * 1024;

/** For calls that need no body, or could do without: JSON is read, an empty body is none, anything else is not looked at. */
export function readJsonIfAny(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: maxBytes }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      return done(null, JSON.parse(body as string));
    } catch (error) {
      return done(Object.assign(error as Error, { statusCode: 400 }));
    }
  });
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
}
