import { z } from 'zod';

/** The label that goes with a status in the structured shape. */
export const statusLabels: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Payload Too Large',
  425: 'Too early',
  500: 'Internal Server Error',
};

export const structuredErrorSchema = z
  .object({
    detail: z.object({
      code: z.number().int().describe('The HTTP status again.'),
      message: z.string().describe('Label of the status.'),
      details: z.string().nullable().describe('What happened and what to do, for people.'),
    }),
  })
  .meta({
    id: 'StructuredError',
    description: 'Most errors: 400, 404, 409, 413, 425, 500.',
    examples: [{ detail: { code: 404, message: 'Not Found', details: 'job … has no output "a.txt"' } }],
  });
export type StructuredError = z.infer<typeof structuredErrorSchema>;

export const plainErrorSchema = z.object({ detail: z.string() }).meta({
  id: 'PlainError',
  description:
    'Wrong token (401), session of the page from elsewhere (403), unknown route (404), wrong method (405), too many wrong tokens (429), unreadable form (400), no server (503).',
  examples: [{ detail: 'Invalid token' }],
});

export function structuredError(status: number, details: string | null): StructuredError {
  return { detail: { code: status, message: statusLabels[status] ?? 'Error', details } };
}

/**
 * The error answers of a route, for its schema. Handlers throw errors and never return them, so the type has none and
 * what a handler may return stays what its own answers say.
 */
export function errorAnswers(...statuses: number[]): Record<never, never> {
  // What needs the token can answer all three.
  const all = statuses.includes(401) ? [...statuses, 403, 429] : statuses;
  return Object.fromEntries(all.map((status) => [status, shapeOf(status)]));
}

function shapeOf(status: number): z.ZodType {
  if (status === 401 || status === 403 || status === 429 || status === 503) return plainErrorSchema;
  return status === 400 ? z.union([structuredErrorSchema, plainErrorSchema]) : structuredErrorSchema;
}
