import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { checkNodes, numbered } from '../compile/compile.js';
import type { GraphChecker } from '../compile/graph-checker.js';
import { Problems } from '../compile/problems.js';
import { readAdditions } from '../compile/read-request.js';
import { atOnce } from '../compile/slices.js';
import type { WorkflowFileActivities } from '../contract/workflow-files.js';
import { isMissing, writeFileAtomic } from '../store/atomic.js';
import { stringifyExact } from '../store/exact-json.js';
import { ExpressionError, evaluate, referencesOf } from '../store/expressions.js';
import { filesThere, type KnownFile } from '../store/graph-inputs.js';
import { planPart } from '../store/graph-plan.js';
import type { GraphShare } from '../store/graph-share.js';
import { NodeNamesCache } from '../store/node-names.js';
import type { Catalogue } from './catalogue.js';
import { globPattern } from './glob-pattern.js';

/** What the code around a workflow file asks of the machine that it runs on. */

export interface FileActivityDeps {
  readonly graphs: GraphShare;
  readonly checker: GraphChecker;
  readonly catalogue: Catalogue;
}

/** A result that comes into the workflow stays in its history for ever. */
const largestResult = 256 * 1024;
const mostFiles = 10_000;
/** Problems that one sentence tells. */
const toldProblems = 5;

interface AskedNode {
  readonly script?: unknown;
  data?: unknown;
}

/** @param name and version of the workflow file whose runs ask */
export function createFileActivities(deps: FileActivityDeps, name: string, version: string): WorkflowFileActivities {
  const { documents, values } = deps.graphs;
  const names = new NodeNamesCache(documents);

  return {
    async declareTasks(graphId, first, text) {
      const given = JSON.parse(text) as { nodes: AskedNode[] };
      // It was done before, and the answer was lost.
      const there = await documents.nodes(graphId, first, given.nodes.length);
      if (there.length > 0) return { plan: planPart(first, there) };

      const files = await filesOf(graphId, given.nodes);
      const problems = new Problems();
      const asked = readAdditions(JSON.stringify(given), problems);
      const { numbers: known } = await names.of(graphId);
      const facts = await deps.checker.facts(asked, {}, files, { known, first });
      const { nodes } = atOnce(checkNodes(asked, {}, facts, problems));
      if (problems.count > 0) return { problem: sentence(problems, given.nodes) };
      const specs = atOnce(numbered(nodes, facts));
      await documents.append(graphId, (free) => {
        if (free !== first) throw new Error(`graph ${graphId} goes on at ${free}, not at ${first}`);
        return specs;
      });
      return { plan: planPart(first, specs) };
    },

    async resultOf(graphId, index) {
      const node = await documents.node(graphId, index);
      if (node === null) throw ApplicationFailure.nonRetryable(`graph ${graphId} has no node ${index}`, 'NOT_FOUND');
      const expression = `nodes[${JSON.stringify(node.id)}].result`;
      try {
        const text = stringifyExact(
          evaluate(expression, await values.scope({ graphId, node }, referencesOf(expression))),
        );
        if (text.length <= largestResult) return JSON.parse(text) as unknown;
        throw ApplicationFailure.nonRetryable(
          `the result of ${node.id} has ${text.length} bytes: a workflow takes ${largestResult} at most; hand it on with value(), or return less`,
          'RESULT_TOO_LARGE',
        );
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        throw ApplicationFailure.nonRetryable(error.message, 'NO_RESULT');
      }
    },

    async keepResult(graphId, result) {
      await writeFileAtomic(documents.paths(graphId).result, JSON.stringify(result));
    },

    async listFiles(folder, pattern) {
      if (!isAbsolute(folder))
        throw ApplicationFailure.nonRetryable(`filesIn: "${folder}" is not an absolute path`, 'BAD_FOLDER');
      const found = await walkFiles(folder, pattern);
      if (found.length > mostFiles)
        throw ApplicationFailure.nonRetryable(`filesIn: ${folder} has more than ${mostFiles} files`, 'TOO_MANY_FILES');
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };

  /** Files that these nodes may name; what they name by a path, or lies beside the workflow, gets a name among them. */
  async function filesOf(graphId: string, nodes: readonly AskedNode[]): Promise<Map<string, KnownFile>> {
    const { inputs } = documents.paths(graphId);
    for (const { script } of nodes) if (typeof script === 'string') await keepScript(inputs, script);
    const files = await filesThere(graphId, inputs);
    for (const node of nodes) {
      const { data } = node;
      if (typeof data !== 'object' || data === null || !('path' in data)) continue;
      const path = String(data.path);
      const name = `file-${files.size + 1}`;
      files.set(name, { ref: { path }, path });
      node.data = name;
    }
    return files;
  }

  /** A copy for the graph: the version may be cleaned up before somebody wants to run the job again. */
  async function keepScript(inputs: string, script: string): Promise<void> {
    if (script.includes('/') || script.includes('\\')) return;
    const content = await deps.catalogue.script(name, version, script);
    if (content === null) return;
    await mkdir(join(inputs, script), { recursive: true });
    await writeFile(join(inputs, script, script), content, { flag: 'wx' }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

function sentence({ list, count }: Problems, nodes: readonly AskedNode[]): string {
  const told = list.slice(0, toldProblems).map(({ path, message }) => {
    const [, at, rest = ''] = /^nodes\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
    const id = at === undefined ? '' : ((nodes[Number(at)] as { id?: string }).id ?? at);
    return `task ${JSON.stringify(id)}${rest === '' ? '' : `, ${rest}`}: ${message}`;
  });
  return `${told.join('; ')}${count > told.length ? ` (and ${count - told.length} more)` : ''}`;
}

async function walkFiles(
  folder: string,
  pattern: string,
): Promise<{ path: string; name: string; sizeBytes: number; changedAt: string }[]> {
  const found: { path: string; name: string; sizeBytes: number; changedAt: string }[] = [];
  const matches = globPattern(pattern);
  const deep = pattern.includes('/') || pattern.includes('**');
  const visit = async (place: string): Promise<void> => {
    for (const entry of await readdir(place, { withFileTypes: true })) {
      const path = join(place, entry.name);
      if (entry.isDirectory()) {
        if (deep) await visit(path);
        continue;
      }
      const name = relative(folder, path).split(sep).join('/');
      if (!entry.isFile() || !matches.test(name)) continue;
      const facts = await stat(path);
      found.push({ path, name, sizeBytes: facts.size, changedAt: facts.mtime.toISOString() });
      if (found.length > mostFiles) return;
    }
  };
  try {
    await visit(folder);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw ApplicationFailure.nonRetryable(
      `filesIn: there is no folder ${folder} on the machine of the engine`,
      'NO_FOLDER',
    );
  }
  return found;
}
