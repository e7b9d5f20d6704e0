import { ApiError, type GraphState, type NodeState } from '../../client/index.js';
import type { Commands } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { readGraph } from '../graph-files.js';
import { collect, wholeNumber } from '../options.js';
import { table } from '../output.js';
import { transferBar } from '../transfer.js';
import { problemLines, withFiles } from './graph.js';
import { statusColour } from './jobs.js';

type Graph = ReturnType<Commands['group']>;

/** What can be done with the nodes of a graph that is there: look at them, read their logs, add more. */
export function graphNodeCommands(commands: Commands, graph: Graph): void {
  commands.add<{ readonly state?: NodeState['state'][]; readonly limit: number }>(
    'nodes <graph>',
    'list the nodes of a graph',
    (command) =>
      command
        .option('--state <state>', 'only in this state; may be given several times', collect(String))
        .option('--limit <number>', 'at most so many', wholeNumber, 1000),
    async ({ client, out }, { state, limit }, id) => {
      const list = await client.graphs.nodes(id as string, { state, limit });
      out.show(list, () =>
        table(
          ['NODE', 'STATE', 'JOB', 'WHAT'],
          list.nodes.map(({ id: name, state: now, job, message }) => [
            name,
            out.paint(statusColour(now), now),
            job ?? '',
            (message ?? '').split('\n')[0] ?? '',
          ]),
        ),
      );
      return 0;
    },
    graph,
  );

  commands.add(
    'node <graph> <node>',
    'everything known of a node: attempts, times, why it failed',
    (command) => command,
    async ({ client, out }, _flags, id, node) => {
      out.value(await client.graphs.node(id as string, node as string));
      return 0;
    },
    graph,
  );

  commands.add<{ readonly attempt?: number; readonly tail?: number }>(
    'log <graph> <node>',
    'what a node has printed',
    (command) =>
      command
        .option('--tail <lines>', 'only so many lines from the end', wholeNumber)
        .option('--attempt <number>', 'of this attempt (default: the last)', wholeNumber),
    async ({ client, out, shell }, { attempt, tail }, id, node) => {
      const text = await client.graphs.log(id as string, node as string, { attempt, tail });
      if (out.json) out.value({ graph: id, node, text });
      else shell.stdout.write(text);
      return 0;
    },
    graph,
  );

  commands
    .add<{ readonly file?: readonly string[] }>(
      'add <graph> <document>',
      'add nodes to an open graph; - reads them from standard input',
      withFiles,
      async (context, { file = [] }, id, path) => {
        const { client, out, shell } = context;
        const { text, files } = readGraph(path as string, file, shell.cwd);
        const transfer = transferBar(context, 'Uploading');
        try {
          const { nodes } = await client.graphs.add(id as string, text, files, {
            onProgress: transfer.onProgress,
            signal: shell.stop,
          });
          transfer.done();
          const lines = nodes.map(({ id: name, status, problem }) =>
            problem === null ? `node ${name}: ${status}` : `node ${name}: ${status}: ${problem.message}`,
          );
          out.tell({ nodes }, lines.join('\n'));
          return nodes.some(({ status }) => status === 'rejected') ? exitCodes.failed : exitCodes.ok;
        } catch (error) {
          if (error instanceof ApiError && error.problems.length > 0 && !out.json)
            throw new CliError(`the nodes are refused:\n${problemLines(error.problems)}`);
          throw error;
        } finally {
          transfer.done();
        }
      },
      graph,
    )
    .addHelpText(
      'after',
      '\nThe document is {"nodes": [ … ]}, as of a graph.\n\nExamples:\n  pixyz graph add $GRAPH more.json\n  pixyz graph close $GRAPH          when no more will come',
    );

  commands.add(
    'priority <graph> <priority>',
    'what has not started goes before or behind other graphs: 0 first … 9 last',
    (command) => command,
    async ({ client, out }, _flags, id, priority) => {
      if (!/^\d$/.test(priority as string))
        throw new CliError(`"${priority}" is no priority: it is a number from 0 (first) to 9 (last)`, exitCodes.usage);
      const state: GraphState = await client.graphs.setPriority(id as string, Number(priority));
      out.tell(state, `graph ${id} has priority ${priority}`);
      return 0;
    },
    graph,
  );

  commands.add(
    'limit <graph> <number>',
    'how many of its nodes run at the same time from now on; none: as many as workers take',
    (command) => command,
    async ({ client, out }, _flags, id, most) => {
      if (!/^(?:[1-9]\d*|none)$/.test(most as string))
        throw new CliError(`"${most}" is no limit: it is a number from 1 on, or none`, exitCodes.usage);
      const state = await client.graphs.setMaxParallel(id as string, most === 'none' ? null : Number(most));
      out.tell(state, most === 'none' ? `graph ${id} has no limit` : `graph ${id} runs ${most} nodes at most`);
      return 0;
    },
    graph,
  );
}
