/**
 * Ids of graphs and jobs.
 *
 * A graph's id is a random UUID (version 4) whose last 8 hexadecimal digits are zero; the job of its node `i` has the
 * same UUID with `i` in those digits, counted from 1. So a job id tells its graph and its place with no look-up, and
 * a graph with a single node never shares an id, or a folder, with its only job.
 * The Temporal workflow id of a run is the graph's id. Workflows import this file: no Node modules here.
 */

/** What the API accepts as a job id: 36 characters, any UUID version, case kept. */
export const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** The largest node number that fits the id (8 hexadecimal digits). */
export const maxNodes = 0xffff_ffff;

/**
 * Declared nodes are numbered below this, items of maps from it on, in the order in which the maps are expanded. The two
 * never meet, so an open graph can take nodes after a map has been expanded.
 */
export const firstItemNumber = 0x8000_0000;

/** The job id of node `index` (from 1) of a graph. */
export function jobIdOf(graphId: string, index: number): string {
  if (!Number.isInteger(index) || index < 1 || index > maxNodes)
    throw new RangeError(`node number ${index} is not 1…${maxNodes}`);
  return graphId.slice(0, 28) + index.toString(16).padStart(8, '0');
}

/** The graph id that a job id belongs to. */
export function graphIdOf(jobId: string): string {
  return `${jobId.slice(0, 28)}00000000`;
}

/** The node number (from 1) in a job id; 0 for a graph id. */
export function nodeIndexOf(jobId: string): number {
  return Number.parseInt(jobId.slice(28), 16);
}

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}
