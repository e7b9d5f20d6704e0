import { post } from '../api/http.js';
import type { BulkOutcome } from './bulk-bar.js';

/** The API takes so many at once. */
const atOnce = 500;

interface Answer {
  readonly done: number;
  readonly jobs?: readonly Each[];
  readonly graphs?: readonly Each[];
}

interface Each {
  readonly problem: string | null;
}

export async function bulkCall(
  kind: 'jobs' | 'graphs',
  verb: 'cancel' | 'retry',
  ids: readonly string[],
): Promise<BulkOutcome> {
  let done = 0;
  const problems: string[] = [];
  for (let at = 0; at < ids.length; at += atOnce) {
    const answer = await post<Answer>(`/${kind}/${verb}`, { [kind]: ids.slice(at, at + atOnce) });
    done += answer.done;
    for (const { problem } of answer[kind] ?? []) if (problem !== null) problems.push(problem);
  }
  return { done, problems };
}
