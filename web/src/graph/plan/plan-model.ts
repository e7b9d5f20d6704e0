import type { NodeState, Plan } from '../../../../src/client/types.js';
import { GraphModel } from '../model/graph-model.js';

/** What of a node of the document is drawn; whatever else it holds, the API has checked it. */
interface AskedNode {
  readonly id: string;
  readonly label?: string;
  readonly script?: string;
  readonly process?: string;
  readonly command?: string | readonly string[];
  readonly barrier?: boolean;
  readonly entrypoint?: string;
  readonly queue?: string;
  readonly map?: unknown;
}

/** A graph that is not there yet, as the drawing takes it: who waits for whom the API has told. */
export function planModel(document: string, { waits_for }: Plan): GraphModel {
  const { nodes = [], defaults = {} } = JSON.parse(document) as {
    nodes?: readonly AskedNode[];
    defaults?: Partial<AskedNode>;
  };
  const model = new GraphModel();
  model.refresh(
    nodes.map((node, at) => ({
      ...untouched,
      id: node.id,
      number: at + 1,
      label: node.label ?? node.id,
      kind: kindOf(node),
      queue: node.queue ?? null,
      message: whatOf({ ...defaults, ...node }),
      deps: waits_for[node.id] ?? [],
    })),
  );
  return model;
}

const untouched = { job: null, state: 'waiting', fault: null, attempt: 0, progress: null } as const;

function kindOf({ map, barrier, command }: AskedNode): NodeState['kind'] {
  if (map !== undefined && map !== null) return 'map';
  if (barrier === true) return 'barrier';
  return command === undefined ? 'script' : 'command';
}

/** `resize.small on gpu` */
function whatOf({ script, process, command, barrier, entrypoint, queue, map }: AskedNode): string {
  if (barrier === true) return 'barrier';
  const program = typeof command === 'string' ? command : command?.join(' ');
  const task = program ?? process ?? script ?? '';
  const called = entrypoint === undefined || program !== undefined ? task : `${task}.${entrypoint}`;
  const words = [map === undefined || map === null ? called : `${called} for each item`];
  if (queue !== undefined) words.push(`on ${queue}`);
  return words.join(' ');
}
