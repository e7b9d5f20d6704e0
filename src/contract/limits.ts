/** Limits that the API tells and the interpreter keeps. Workflows import this file: nothing but numbers here. */

/**
 * Nodes that an open graph can take, a map counted as all its items: it is one run to its end, and the server ends a run
 * that has more than 51,200 events. A closed graph may be larger: it is cut into parts.
 */
export const largestOpenGraph = 12_000;
