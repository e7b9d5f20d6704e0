import type { Command } from 'commander';
import { ApiError, type GraphState, type Problem, type Validation } from '../../client/index.js';
import type { Commands, Context } from '../context.js';
import { drawGraph, graphHead } from '../dag/draw.js';
import { CliError, exitCodeOfGraph } from '../exit-codes.js';
import { readGraph } from '../graph-files.js';
import { collect, wholeNumber } from '../options.js';
import { table } from '../output.js';
import { transferBar } from '../transfer.js';
import { watchGraph } from '../watch-graph.js';
import { graphNodeCommands } from './graph-nodes.js';
import { each, statusColour } from './jobs.js';

interface FileFlags {
  readonly file?: readonly string[];
}

export const withFiles = (command: Command) =>
  command.option(
    '-f, --file <name=path>',
    'a file that nodes name; files beside the document are found',
    collect(String),
  );

export function graphCommands(commands: Commands): void {
  const graph = commands.group('graph', 'graphs: several jobs that depend on each other');

  commands
    .add<FileFlags & { readonly watch?: boolean; readonly batch?: boolean }>(
      'run <document>',
      'send a graph; - reads it from standard input',
      (command) =>
        withFiles(command)
          .option('-w, --watch', 'draw it until it has ended; its end is the exit code')
          .option('-b, --batch', 'print the id and nothing else'),
      runGraph,
      graph,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz graph run chain.json -w\n  pixyz graph run chain.json -f model=pump.step -b',
    );

  commands.add<FileFlags>('validate <document>', 'check a graph and show its plan', withFiles, validate, graph);

  commands.add<{ readonly all?: boolean }>(
    'show <graph>',
    'draw a graph with the states of its nodes',
    (command) => command.option('--all', 'a line for every node, however many there are'),
    async (context, { all = false }, id) => {
      const { client, out } = context;
      const [state, nodes] = await Promise.all([
        client.graphs.state(id as string),
        client.graphs.allNodes(id as string),
      ]);
      if (out.json) {
        out.value({ ...state, nodes });
        return 0;
      }
      const paint = out.paint.bind(out);
      out.print([graphHead(state, paint), ...drawGraph(nodes, paint, { all })].join('\n'));
      return 0;
    },
    graph,
  );

  commands.add(
    'watch <graph>',
    'draw a graph until it has ended',
    plain,
    (context, _flags, id) => watched(context, id as string),
    graph,
  );

  commands.add<{
    readonly limit?: number;
    readonly name?: string;
    readonly nameContains?: string;
    readonly label?: string[];
    readonly state?: ('open' | 'succeeded' | 'failed' | 'revoked')[];
  }>(
    'list',
    'list graphs, newest first',
    (command) =>
      command
        .option('--state <state>', 'open, succeeded, failed or revoked; may be given several times', collect(String))
        .option('--label <key:value>', 'with this label, or this key; may be given several times', collect(String))
        .option('-n, --name <name>', 'only with this display name')
        .option('--name-contains <text>', 'only with this in the display name, in either case')
        .option('--limit <number>', 'at most so many', wholeNumber, 50),
    async ({ client, out }, { limit = 50, state, label, name, nameContains }) => {
      const list = await client.graphs.list({ limit, state, label, name, name_contains: nameContains });
      out.show(list, () =>
        table(
          ['GRAPH', 'STATE', 'NODES', 'NAME'],
          list.graphs.map(({ id, state: now, counts, name }) => [
            id,
            out.paint(statusColour(now), now),
            `${counts.succeeded}/${counts.total}`,
            name ?? '',
          ]),
        ),
      );
      return 0;
    },
    graph,
  );

  commands.add<{ readonly node?: string[] }>(
    'cancel <graph>',
    'stop a graph, or some of its nodes',
    (command) => command.option('--node <id>', 'only this node; may be given several times', collect(String)),
    async ({ client, out }, { node }, id) => {
      if (node !== undefined) {
        const told = await client.graphs.cancelNodes(id as string, node);
        out.tell(told, told.nodes.map(({ id: name, status }) => `node ${name}: ${status}`).join('\n'));
        return told.nodes.some(({ status }) => status === 'unknown') ? 1 : 0;
      }
      const state = await client.graphs.cancel(id as string, { waitSeconds: 20 });
      out.tell(state, `graph ${id} ${state.state}`);
      return 0;
    },
    graph,
  );

  commands.add<{ readonly node?: string; readonly watch?: boolean }>(
    'retry <graph>',
    'run what did not succeed again, as a new graph',
    (command) =>
      command
        .option('--node <id>', 'only this node, while the graph runs')
        .option('-w, --watch', 'draw it until it has ended'),
    async (context, { node, watch }, id) => {
      const { client, out } = context;
      if (node !== undefined) {
        out.tell(await client.graphs.retryNode(id as string, node), `node ${node} runs again`);
        return 0;
      }
      const made = await client.graphs.retry(id as string);
      if (watch === true) return watched(context, made.id);
      out.tell(made, `graph ${made.id} started, a retry of ${id} (${made.kept ?? 0} of ${made.nodes} nodes kept)`);
      return 0;
    },
    graph,
  );

  for (const name of ['pause', 'resume', 'close'] as const) {
    commands.add(
      `${name} <graph>`,
      { pause: 'start nothing more', resume: 'go on after a pause', close: 'no more nodes: an open graph may end' }[
        name
      ],
      plain,
      async ({ client, out }, _flags, id) => {
        out.tell(await client.graphs[name](id as string), `graph ${id} ${name}d`);
        return 0;
      },
      graph,
    );
  }

  commands.add(
    'why <graph> <node>',
    'why a node does not run',
    plain,
    async ({ client, out }, _flags, id, node) => {
      const why = await client.graphs.why(id as string, node as string);
      const reasons = why.reasons.map(({ message }) => `  ${message}`);
      out.tell(why, [`node ${node} is ${why.state}`, ...reasons].join('\n'));
      return 0;
    },
    graph,
  );

  commands.add(
    'rm <graphs...>',
    'remove ended graphs with all their jobs',
    plain,
    (context, _flags, ...ids) =>
      each(
        context,
        ids,
        (id) => context.client.graphs.delete(id),
        (id) => `graph ${id} removed`,
      ),
    graph,
  );

  graphNodeCommands(commands, graph);
}

const plain = (command: Command) => command;

async function runGraph(
  context: Context,
  { file = [], watch, batch }: FileFlags & { readonly watch?: boolean; readonly batch?: boolean },
  path?: string,
): Promise<number> {
  const { client, out, shell } = context;
  const { text, files } = readGraph(path as string, file, shell.cwd);
  const transfer = transferBar(context, 'Uploading');
  const made = await client.graphs
    .submit(text, files, { onProgress: transfer.onProgress, signal: shell.stop })
    .catch((error: unknown) => {
      transfer.done();
      if (error instanceof ApiError && error.problems.length > 0 && !out.json)
        throw new CliError(`the graph is refused:\n${problemLines(error.problems)}`);
      throw error;
    });
  transfer.done();
  if (batch === true && !out.json) out.print(made.id);
  else if (!out.json) out.print(`graph ${made.id} started, ${made.nodes} nodes`);
  if (watch === true) return watched(context, made.id, batch);
  if (out.json) out.value(made);
  return 0;
}

/** Draws a graph to its end; of a run of a workflow also what it returned. */
export async function watched(context: Context, id: string, silent = false): Promise<number> {
  const { out, client } = context;
  const state = await watchGraph(context, id);
  if (out.json) out.value(state);
  else if (!silent) {
    const paint = out.paint.bind(out);
    const lines = state.counts.total <= 1000 ? drawGraph(await client.graphs.allNodes(id), paint) : [];
    out.print([graphHead(state, paint), ...lines].join('\n'));
    if (state.workflow != null && state.state === 'succeeded') out.value(state.workflow.result);
  }
  if (state.message !== null && !out.json) out.note(state.message);
  return exitCodeOfGraph(state.state satisfies GraphState['state']);
}

async function validate(context: Context, { file = [] }: FileFlags, path?: string): Promise<number> {
  const { client, out, shell } = context;
  const { text, files } = readGraph(path as string, file, shell.cwd);
  const answer = await client.graphs.validate(text, files, { signal: shell.stop });
  if (out.json) out.value(answer);
  else if (answer.valid) out.print(planText(answer));
  else out.print(`${answer.problem_count} problems\n${problemLines(answer.problems)}`);
  return answer.valid ? 0 : 1;
}

export function problemLines(problems: readonly Problem[]): string {
  return problems
    .map(({ path, code, message }) => `  ${path === '' ? '' : `${path}: `}${message} (${code})`)
    .join('\n');
}

function planText({ plan }: Validation): string {
  if (plan === null) return 'valid';
  const queues = plan.queues.map(
    ({ queue, nodes, served }) => `${queue} (${nodes}${served === false ? ', NO WORKER serves it' : ''})`,
  );
  return [
    `valid: ${plan.nodes} nodes, ${plan.dependencies} dependencies, ${plan.levels} levels, at most ${plan.widest} at the same time`,
    `queues: ${queues.join(', ') || 'none'}`,
    `longest way: ${plan.critical_path.join(' → ')}`,
    ...drawPlan(plan),
  ].join('\n');
}

function drawPlan({ order, waits_for }: NonNullable<Validation['plan']>): string[] {
  const drawn = order.map((id) => ({ id, deps: waits_for[id] ?? [], state: 'waiting' as const }));
  return drawGraph(drawn, (_colour, text) => text).map((line) => line.replace(/ {2}waiting$/, ''));
}
