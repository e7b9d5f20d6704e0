import { GraphChecker } from '../../compile/graph-checker.js';
import type { ScriptInspector } from '../../contract/inspection.js';
import type { GraphShare } from '../../store/graph-share.js';
import type { GraphStore } from '../../store/graph-store.js';
import { NodeNamesCache } from '../../store/node-names.js';
import type { ApiDeps } from '../deps.js';
import type { QueueWatch } from '../queue-watch.js';
import { AnsweredRequests } from './answered-requests.js';
import { GraphAdder } from './graph-adder.js';
import { GraphCalls } from './graph-calls.js';
import { GraphRepeater } from './graph-repeater.js';
import { GraphSubmitter } from './graph-submitter.js';
import { GraphsReader } from './graphs-reader.js';
import { LostRuns } from './lost-runs.js';

/** What the routes of graphs share. */
export interface GraphParts {
  readonly deps: ApiDeps;
  readonly store: GraphStore;
  readonly reader: GraphsReader;
  readonly submitter: GraphSubmitter;
  readonly adder: GraphAdder;
  readonly repeater: GraphRepeater;
  readonly calls: GraphCalls;
  readonly answered: AnsweredRequests;
}

export function graphParts(
  deps: ApiDeps,
  { documents: store, reader: journals }: GraphShare,
  inspector: ScriptInspector,
  queues: QueueWatch,
): GraphParts {
  const names = new NodeNamesCache(store);
  const checker = new GraphChecker(deps, inspector);
  const reader = new GraphsReader(deps, store, journals, names, new LostRuns(deps, journals));
  const submitter = new GraphSubmitter(deps, store, checker, queues);
  return {
    deps,
    store,
    reader,
    submitter,
    adder: new GraphAdder(deps, store, checker, names),
    repeater: new GraphRepeater(deps, store, submitter),
    calls: new GraphCalls(deps, store, reader),
    answered: new AnsweredRequests(store),
  };
}
