import { z } from 'zod';
import { callbackSchema } from '../contract/job.js';
import type { Json } from '../contract/json.js';
import { queueNamePattern } from '../contract/queues.js';
import { failurePolicies, triggerRules } from '../contract/scheduling.js';

/**
 * What `POST /graphs` and `POST /graphs/{graph}/nodes` take. The reference in `docs/reference/rest.md` is made from
 * these descriptions and examples.
 */

/** Nodes of one request to make a graph. */
export const maxGraphNodes = 100_000;
/** Dependencies of all nodes of a request together. */
export const maxGraphEdges = 1_000_000;
/** Nodes of one request to an open graph. */
export const maxAddedNodes = 1000;
/** Jobs of one `map`. */
export const maxMapWidth = 10_000;

/** How a part of the form, and so a script or input, may be called. It becomes the name of a folder. */
export const uploadNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Bodies are parsed JSON: there is nothing to check, and nothing to say of it. */
const anyJson = z.any() as unknown as z.ZodType<Json>;

const nodeId = z
  .string({ error: 'must be text: the id of a node' })
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .refine((id) => !/\p{Control}/u.test(id), 'must not have control characters');

/** What people call a graph, or a run. */
export const displayName = z
  .string({ error: 'must be text' })
  .min(1, 'must not be empty')
  .max(1000, 'must have at most 1000 characters');

export const labels = z
  .record(
    z.string().min(1).max(100),
    z.string({ error: 'must be text' }).max(1000, 'must have at most 1000 characters'),
  )
  .refine((pairs) => Object.keys(pairs).length <= 50, 'must have at most 50 entries');

const flag = z.boolean({ error: 'must be true or false' });
const seconds = z
  .number({ error: 'must be a number of seconds without quotes, such as 60' })
  .min(0, 'must not be negative');
const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
const uploadName = z
  .string({ error: 'must be the name of a file of the form' })
  .regex(uploadNamePattern, 'is not the name of a form’s file: letters, digits, dot, dash and underscore, at most 100');
const expression = z
  .string({ error: 'must be an expression, as text' })
  .min(1, 'must not be empty')
  .max(10_000, 'must have at most 10000 characters');

const environment = z.record(
  z.string().regex(/^[^=\0]+$/, 'is not the name of a variable'),
  z.union([z.string().refine((text) => !text.includes('\0'), 'must not have NUL characters'), z.null()], {
    error: 'must be text, or null to unset the variable',
  }),
);

/** What a node runs, and how: may stand in a node, or once for all in `defaults`. */
const settingsShape = {
  script: uploadName.optional().meta({
    description:
      'The Python script: the name of a file of the form. Many nodes may name the same. A node has one of `script`, ' +
      '`process`, `command` and `barrier`.',
    examples: ['resize'],
  }),
  process: z
    .string({ error: 'must be the name of a process' })
    .min(1, 'must not be empty')
    .optional()
    .meta({ description: 'A shipped process instead: a name of `GET /processes`.', examples: ['convert_file'] }),
  entrypoint: z
    .string({ error: 'must be the name of a function' })
    .min(1, 'must not be empty')
    .optional()
    .meta({ description: 'The function of the script to call. Default `main`.', examples: ['thumbnails'] }),
  queue: z
    .string({ error: 'must be the name of a queue' })
    .regex(queueNamePattern, 'is not a queue name: letters, digits, dot, dash and underscore, at most 100')
    .optional()
    .meta({
      description: 'Hardware class. Default: the decorator’s; else `control` for a waiting entrypoint, else `cpu`.',
      examples: ['gpu'],
    }),
  time_limit: seconds.optional().meta({
    description: 'Seconds an attempt may take; more than 86400 means no limit. Default 3600.',
    examples: [600],
  }),
  retries: whole(0, 10)
    .optional()
    .meta({
      description: 'Further attempts after a crash, exit, time-out or lack of memory. Default 1.',
      examples: [2],
    }),
  priority: whole(0, 9)
    .optional()
    .meta({ description: '0 (first) … 9 (last) among the nodes that could start. Default 4.', examples: [2] }),
  compute_only: flag
    .optional()
    .meta({ description: 'The node gets no output folder. Default false.', examples: [true] }),
  raw: flag.optional().meta({
    description: 'The job’s record for Celery programs holds the bare value instead of the meta object. Default false.',
    examples: [true],
  }),
  reuse: flag.optional().meta({
    description:
      'Take result and outputs of an earlier node that ran the same script with the same parameters and inputs, where there ' +
      'is one. Default false.',
    examples: [true],
  }),
  shell: flag.optional().meta({
    description: 'The command is a line for the shell. Default false: a program and its arguments.',
    examples: [true],
  }),
  cwd: z
    .string({ error: 'must be a path' })
    .min(1, 'must not be empty')
    .optional()
    .meta({
      description: 'Folder in which a command runs. Default: the outputs of its job.',
      examples: ['/mnt/shows/alpha'],
    }),
  env: environment.optional().meta({
    description: 'Environment of a command, on top of the worker’s safe one; null unsets a variable.',
    examples: [{ SEED: '3', DISPLAY: null }],
  }),
  ok_exit_codes: z
    .array(whole(0, 255), { error: 'must be a list of exit codes' })
    .min(1, 'must not be empty')
    .max(256)
    .optional()
    .meta({ description: 'Exit codes of a command that mean success. Default [0].', examples: [[0, 3]] }),
  tags: labels
    .optional()
    .meta({ description: 'Free facts, shown with the node.', examples: [{ shot: 'sq010_sh020' }] }),
};

export const graphDefaultsSchema = z.strictObject(settingsShape).meta({
  id: 'GraphDefaults',
  description:
    `For every node that does not say otherwise: ${Object.keys(settingsShape).join(', ')}. ` +
    'Over them stand the literal arguments of `@pixyz_schedule(...)`, over those the node. `env` and `tags` are merged key by key.',
  examples: [{ script: 'steps', time_limit: 600 }],
});
export type GraphDefaults = z.infer<typeof graphDefaultsSchema>;

export const graphNodeRequestSchema = z
  .strictObject({
    id: nodeId.meta({
      description:
        'What you call the node: unique in its graph, at most 200 characters. Dependencies and templates use it.',
      examples: ['resize'],
    }),
    label: displayName
      .optional()
      .meta({ description: 'Display name of its job. Default: the id.', examples: ['resize to 512'] }),
    script: settingsShape.script,
    process: settingsShape.process,
    command: z
      .union(
        [
          z.string().min(1, 'must not be empty'),
          z
            .array(z.string(), { error: 'must be text, or a list of texts: a program and its arguments' })
            .min(1, 'must not be empty')
            .max(10_000),
        ],
        { error: 'must be text, or a list of texts: a program and its arguments' },
      )
      .optional()
      .meta({
        description:
          'A program and its arguments: a list, or one text that is split as a POSIX shell would, without a shell. With ' +
          '`shell` one line for the shell. `${{ … }}` is allowed in arguments; for a line for the shell, put values into `env`.',
        examples: [['gltfpack', '-i', '${{ nodes.convert.folder }}/output.glb', '-o', 'small.glb']],
      }),
    barrier: z
      .literal(true, { error: 'must be true, or absent' })
      .optional()
      .meta({ description: 'The node runs nothing: it succeeds when its dependencies have.', examples: [true] }),
    params: anyJson.optional().meta({
      description:
        'Any JSON: what the entrypoint gets. `${{ … }}` in its texts is filled in when the node starts. Default `{}`.',
      examples: [{ width: 512, model: '${{ nodes.convert.result.output }}' }],
    }),
    data: z
      .union(
        [
          uploadName,
          z.strictObject({
            node: nodeId,
            output: z
              .string({ error: 'must be the path of an output' })
              .min(1, 'must not be empty')
              .refine(staysBelow, 'must be a path below the outputs, without ".."'),
          }),
        ],
        { error: 'must be the name of a file of the form, or {"node": id, "output": path}' },
      )
      .optional()
      .meta({
        description: 'The input file: a file of the form by its name, or an output of another node.',
        examples: ['model', { node: 'convert', output: 'output.glb' }],
      }),
    deps: z
      .array(nodeId, { error: 'must be a list of node ids' })
      .max(maxGraphNodes)
      .optional()
      .meta({
        description:
          'Ids of the nodes that must end first. Nodes that templates, `when`, `map` or `data` name count as well.',
        examples: [['convert', 'check']],
      }),
    trigger: z
      .enum(triggerRules, { error: `must be one of ${triggerRules.join(', ')}` })
      .optional()
      .meta({
        description:
          'When the dependencies let it start: `all_succeeded` (default), `all_done` (whatever came of them), `any_failed` ' +
          '(at least one failed). A node whose rule cannot be met any more is skipped.',
        examples: ['all_done'],
      }),
    when: expression.optional().meta({
      description: 'An expression, looked at once the dependencies have ended: when it is false, the node is skipped.',
      examples: ['nodes.check.result.triangles > 500000'],
    }),
    map: z
      .strictObject({ over: expression, max: whole(1, maxMapWidth) })
      .optional()
      .meta({
        description:
          'One job for each item of a list that is known only when the graph runs. `over` is an expression; `item` and ' +
          '`index` can be used in the templates of this node. More than `max` items fail the node.',
        examples: [{ over: 'nodes.split.result.parts', max: 200 }],
      }),
    entrypoint: settingsShape.entrypoint,
    queue: settingsShape.queue,
    time_limit: settingsShape.time_limit,
    retries: settingsShape.retries,
    priority: settingsShape.priority,
    countdown: seconds
      .optional()
      .meta({ description: 'Seconds to wait once the node could start. Default 0.', examples: [30] }),
    expires: seconds
      .optional()
      .meta({ description: 'Seconds after which a node that could start and has not is revoked.', examples: [3600] }),
    root_file: z
      .string({ error: 'must be the path of a file' })
      .optional()
      .meta({ description: 'Main file inside an input archive.', examples: ['scene/main.gltf'] }),
    compute_only: settingsShape.compute_only,
    raw: settingsShape.raw,
    reuse: settingsShape.reuse,
    context: z
      .record(z.string(), anyJson)
      .optional()
      .meta({ description: 'Further keys that the script reads as `pc["key"]`.', examples: [{ customer: 'ACME' }] }),
    callback: callbackSchema.optional().meta({
      description: 'Where a signed notice goes when the node has ended.',
      examples: [{ url: 'https://example.org/done', secret: 'shared' }],
    }),
    shell: settingsShape.shell,
    cwd: settingsShape.cwd,
    env: settingsShape.env,
    env_unset: z
      .array(z.string(), { error: 'must be a list of names' })
      .max(1000)
      .optional()
      .meta({
        description: 'Variables that a command does not get: the same as null in `env`.',
        examples: [['DISPLAY']],
      }),
    ok_exit_codes: settingsShape.ok_exit_codes,
    expected_outputs: z
      .array(z.string().min(1, 'must not be empty'), { error: 'must be a list of paths' })
      .max(10_000)
      .optional()
      .meta({
        description:
          'Files that a command must have made, else its attempt failed: below its outputs, or at absolute paths.',
        examples: [['small.glb']],
      }),
    tags: settingsShape.tags,
  })
  .meta({
    id: 'GraphNode',
    description: 'One node: a script, a shipped process, a command, or a barrier.',
    examples: [{ id: 'convert', process: 'convert_file', data: 'model', params: { extension: 'glb' } }],
  });
export type GraphNodeRequest = z.infer<typeof graphNodeRequestSchema>;

const headShape = {
  name: displayName.optional().meta({ description: 'Display name of the graph.', examples: ['pump for the shop'] }),
  labels: labels.optional().meta({ description: 'Free facts, to find it again.', examples: [{ show: 'alpha' }] }),
  mode: z
    .enum(['closed', 'open'], { error: 'must be "closed" or "open"' })
    .optional()
    .meta({ description: '`open`: more nodes may come until it is closed. Default `closed`.', examples: ['open'] }),
  params: anyJson.optional().meta({
    description: 'Any JSON: what expressions of all nodes read as `params`. Default `{}`.',
    examples: [{ quality: 'high', sizes: [256, 512] }],
  }),
  defaults: graphDefaultsSchema.optional().meta({ examples: [{ script: 'steps', time_limit: 600 }] }),
  on_failure: z
    .enum(failurePolicies, { error: `must be one of ${failurePolicies.join(', ')}` })
    .optional()
    .meta({
      description:
        'When a node has failed for good: `finish` (default) runs what does not depend on it, `stop` cancels everything else.',
      examples: ['stop'],
    }),
  max_parallel: whole(1, 10_000)
    .optional()
    .meta({
      description: 'Attempts of this graph at the same time, at most. Default: as many as workers take.',
      examples: [8],
    }),
};

/** Everything but the nodes: those are checked one by one, so that one bad node does not hide the others. */
export const graphHeadSchema = z.strictObject({ ...headShape, nodes: z.unknown().optional() });
export type GraphHead = z.infer<typeof graphHeadSchema>;

export const graphRequestSchema = z
  .strictObject({
    ...headShape,
    nodes: z
      .array(graphNodeRequestSchema)
      .max(maxGraphNodes)
      .optional()
      .meta({
        description: `The nodes, in any order: at least one unless \`mode\` is \`open\`, at most ${maxGraphNodes}.`,
      }),
  })
  .meta({
    id: 'GraphRequest',
    description: 'A graph. null means "not given".',
    examples: [
      {
        name: 'pump for the shop',
        nodes: [
          { id: 'convert', process: 'convert_file', data: 'model', params: { extension: 'glb' } },
          { id: 'pictures', process: 'generate_thumbnails', data: 'model' },
          { id: 'both', barrier: true, deps: ['convert', 'pictures'] },
        ],
      },
    ],
  });

export const addNodesHeadSchema = z.strictObject({ nodes: z.unknown().optional() });
export const addNodesRequestSchema = z
  .strictObject({ nodes: z.array(graphNodeRequestSchema).min(1).max(maxAddedNodes) })
  .meta({
    id: 'AddNodesRequest',
    description: `Nodes for an open graph, at most ${maxAddedNodes}. They may depend on any node that is there already, ended ones too.`,
    examples: [{ nodes: [{ id: 'report', script: 'report', deps: ['convert'] }] }],
  });

function staysBelow(path: string): boolean {
  return (
    !path.startsWith('/') && !/^[A-Za-z]:/.test(path) && !path.split(/[/\\]/).includes('..') && !path.includes('\0')
  );
}
