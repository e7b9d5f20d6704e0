import { z } from 'zod';

/** What can be wrong with a graph. The words are wire format: clients act on them. */
export const problemCodes = [
  'malformed', // a field is missing, or not what it should be
  'unknown-field',
  'empty', // no nodes
  'too-many-nodes',
  'too-many-dependencies',
  'too-large',
  'no-task', // a node with nothing to run
  'several-tasks', // a node with more than one thing to run
  'misplaced', // a field that means nothing for this kind of node
  'duplicate-id',
  'unknown-node',
  'self-dependency',
  'cycle',
  'bad-template',
  'unknown-process',
  'unknown-file', // no file of that name came with the form
  'bad-file', // a file of the form that cannot be used
  'bad-script', // the script cannot be read, or lacks the entrypoint
  'rejected-dependency', // in additions to an open graph: a node that it needs was rejected
] as const;
export type ProblemCode = (typeof problemCodes)[number];

export const problemSchema = z
  .object({
    path: z.string().describe('Where, in the request: such as `nodes[3].deps[0]`; empty for the request as a whole.'),
    code: z.enum(problemCodes),
    message: z.string().describe('What is wrong and what to do, for people.'),
  })
  .meta({
    id: 'GraphProblem',
    examples: [
      { path: 'nodes[3].deps[0]', code: 'unknown-node', message: 'there is no node "convrt": did you mean "convert"?' },
    ],
  });
export type Problem = z.infer<typeof problemSchema>;

/** More are counted, not told: somebody who made ten thousand mistakes made one. */
const maxTold = 1000;

/** The problems of one request, as they are found. */
export class Problems {
  readonly #list: Problem[] = [];
  /** Positions of the nodes that have one. */
  readonly #nodes = new Map<number, Problem>();
  #count = 0;

  add(path: Path, code: ProblemCode, message: string): void {
    const problem = { path: pathText(path), code, message };
    this.#count += 1;
    if (this.#list.length < maxTold) this.#list.push(problem);
    const [first, at] = path;
    if (first === 'nodes' && typeof at === 'number' && !this.#nodes.has(at)) this.#nodes.set(at, problem);
  }

  /** What zod has found in the value at a path. */
  addIssues(issues: readonly z.core.$ZodIssue[], at: Path, fields: readonly string[]): void {
    for (const issue of issues) {
      const path = [...at, ...(issue.path as Path)];
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) this.add([...path, key], 'unknown-field', unknownField(key, fields));
      } else {
        this.add(path, 'malformed', issue.message);
      }
    }
  }

  get list(): readonly Problem[] {
    return this.#list;
  }

  /** All, the untold ones too. */
  get count(): number {
    return this.#count;
  }

  /** The first problem of the node at a position of the request. */
  ofNode(at: number): Problem | undefined {
    return this.#nodes.get(at);
  }
}

export type Path = readonly (string | number)[];

/** `nodes[3].params["a b"]` */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** What people call fields when they guess. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['name', 'label'],
  ['title', 'label'],
  ['depends_on', 'deps'],
  ['dependencies', 'deps'],
  ['needs', 'deps'],
  ['timeout', 'time_limit'],
  ['timelimit', 'time_limit'],
  ['limit', 'time_limit'],
  ['file', 'data'],
  ['input', 'data'],
  ['parameters', 'params'],
  ['if', 'when'],
  ['condition', 'when'],
  ['foreach', 'map'],
  ['retry', 'retries'],
  ['function', 'entrypoint'],
  ['onfailure', 'on_failure'],
  ['maxparallel', 'max_parallel'],
  ['tasks', 'nodes'],
]);

function unknownField(key: string, fields: readonly string[]): string {
  const lower = key.trim().toLowerCase();
  const meant =
    fields.find((field) => field === lower || field.replaceAll('_', '') === lower.replaceAll(/[-_]/g, '')) ??
    fields.find((field) => field === otherNames.get(lower)) ??
    nearest(lower, fields);
  return meant === undefined ? 'there is no such field' : `there is no such field: did you mean "${meant}"?`;
}

/** The one name that is a slip of the keyboard away, if there is one; long lists are not gone through. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3 || name.length > 100 || known.length > 2000) return undefined;
  return known.find((other) => Math.abs(other.length - name.length) <= 1 && slips(name, other));
}

/** Whether two texts differ by one letter that is wrong, missing, too much, or by two that changed places. */
function slips(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (restA.length <= 1 && restB.length <= 1) return true;
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0];
}
