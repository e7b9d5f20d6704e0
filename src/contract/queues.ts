/** The queues of the product. Any other name is a custom queue, served by whoever lists it in `QUEUE_NAME`. */
export const knownQueues = ['cpu', 'gpu', 'gpuhigh', 'control', 'zip', 'clean'] as const;

/** Task queue of the interpreter workflow: no hardware class, so it has a name that no user queue can have. */
export const engineQueue = 'pixyz:engine';

/** What a queue may be called: it becomes a Temporal task queue, a metric label and a part of log lines. */
export const queueNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Service queues: their tasks are ours (archives, deletion), not scripts of users. */
export function isServiceQueue(queue: string): boolean {
  return queue === 'zip' || queue === 'clean';
}
