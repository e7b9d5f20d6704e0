import { GraphReader } from './graph-reader.js';
import { GraphStore } from './graph-store.js';
import type { JobStore } from './job-store.js';
import { NodeValues } from './node-values.js';

/** All that is read of graphs on a share. */
export interface GraphShare {
  readonly documents: GraphStore;
  readonly reader: GraphReader;
  readonly values: NodeValues;
}

/** One for a process: what it has read is kept. */
export function openGraphs(jobs: JobStore): GraphShare {
  const documents = new GraphStore(jobs.root);
  const reader = new GraphReader(documents);
  return { documents, reader, values: new NodeValues(jobs, documents, reader) };
}
