import { z } from 'zod';
import { journalEntrySchema } from '../../contract/journal.js';
import { jobId } from './graphs.js';
import { wholeNumber } from './jobs.js';

const { type: eventType, node: _number, ...eventRest } = journalEntrySchema.omit({ at: true, n: true }).shape;
export const graphEventSchema = z
  .object({
    seq: z.number().int().describe('Number of the event in its graph, from 1, without gaps worth mentioning.'),
    at: z.string().describe('When.'),
    type: eventType,
    node: z.string().optional().describe('Id of the node; absent for events of the graph.'),
    number: z.number().int().optional().describe('Number of the node.'),
    job: z.string().optional().describe('Id of its job.'),
    ...eventRest,
  })
  .meta({
    id: 'GraphEvent',
    examples: [
      {
        seq: 12,
        at: '2026-11-21T11:49:07.102Z',
        type: 'succeeded',
        node: 'convert',
        number: 1,
        job: jobId,
        attempt: 1,
      },
    ],
  });
export type GraphEvent = z.infer<typeof graphEventSchema>;

export const graphEventsSchema = z
  .object({
    events: z.array(graphEventSchema),
    next: z.number().int().describe('`after` of the next call.'),
    ended: z.boolean().describe('The graph has ended, and these are its last events.'),
  })
  .meta({
    id: 'GraphEvents',
    examples: [{ events: [{ seq: 1, at: '2026-11-21T11:49:05.602Z', type: 'started' }], next: 1, ended: false }],
  });
export type GraphEvents = z.infer<typeof graphEventsSchema>;

export const eventsQuerySchema = z.object({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0).describe('The last number that this client has seen.'),
  wait: wholeNumber(0, 60).default(0).describe('Seconds to wait for the next event where there is none.'),
  limit: wholeNumber(1, 5000).default(500).describe('Events at once.'),
});
