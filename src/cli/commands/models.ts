import { writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { JobDetails } from '../../client/index.js';
import type { Commands, Context } from '../context.js';
import { exitCodeOfJob } from '../exit-codes.js';
import { existingFile, jsonOption, wholeNumber } from '../options.js';
import { configOf, type SubmitFlags, upload } from '../submit-job.js';
import { endLines, watchJobs } from '../watch-jobs.js';
import { fetchOutput, fetchOutputs, fileAt } from './outputs.js';

/** `convert`, `thumbnails`, `metadata`: a model goes up, what was made of it comes down. */

interface ModelFlags extends SubmitFlags {
  readonly input: string;
  readonly output?: string;
}

export function modelCommands(commands: Commands): void {
  commands
    .add<ModelFlags>(
      'convert',
      'convert a model to another format',
      (command) => modelOptions(command, 'local file, or folder,'),
      convert,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz convert -i model.step -o model.glb\n  pixyz convert -i model.step -p \'{"extension": "obj"}\' -o out.obj',
    );
  commands.add<ModelFlags>(
    'thumbnails',
    'make pictures and a light preview of a model',
    (command) => modelOptions(command, 'local folder'),
    thumbnails,
  );
  commands.add<ModelFlags>(
    'metadata',
    'measure a model: parts, materials, triangles, size',
    (command) => modelOptions(command, 'local JSON file', false),
    metadata,
  );
}

function modelOptions(command: Command, output: string, params = true): Command {
  const withInput = command.requiredOption('-i, --input <file>', 'the model, or an archive with it');
  return (params ? withInput.option('-p, --params <json>', 'parameters, as JSON', '{}') : withInput)
    .option('-o, --output <path>', `${output} for what was made`)
    .option('-q, --queue <name>', 'queue, such as cpu or gpu')
    .option('-l, --limit <seconds>', 'time limit (default: 3600)', wholeNumber)
    .option('-a, --alias <name>', 'display name of the job');
}

async function convert(context: Context, flags: ModelFlags): Promise<number> {
  const params = jsonOption('-p', flags.params ?? '{}');
  const details = await run(context, 'convert_file', flags, withExtension(params, flags.output));
  const made = (details.result as { output?: unknown } | null)?.output;
  if (details.status !== 'SUCCESS' || flags.output === undefined || typeof made !== 'string')
    return ended(context, details);
  const { out, shell } = context;
  const target = fileAt(flags.output, basename(made), shell.cwd);
  await fetchOutput(context, details.uuid, made, resolve(shell.cwd, target));
  out.tell({ ...details, file: target }, `'${made}' downloaded to '${target}'`);
  return 0;
}

/** `-o model.glb` says which format is wanted, where the parameters do not. */
export function withExtension(params: unknown, output: string | undefined): unknown {
  const extension = extname(output ?? '').slice(1);
  const isObject = typeof params === 'object' && params !== null && !Array.isArray(params);
  if (extension === '' || !isObject || 'extension' in params) return params;
  return { ...params, extension };
}

async function thumbnails(context: Context, flags: ModelFlags): Promise<number> {
  const { client, out, shell } = context;
  const details = await run(context, 'generate_thumbnails', flags, jsonOption('-p', flags.params ?? '{}'));
  if (details.status !== 'SUCCESS') return ended(context, details);
  if (flags.output === undefined) {
    out.value(await client.jobs.outputs(details.uuid));
    return 0;
  }
  const files = await fetchOutputs(context, details.uuid, resolve(shell.cwd, flags.output));
  out.tell({ ...details, folder: flags.output, files }, `${files.length} files downloaded to '${flags.output}'`);
  return 0;
}

async function metadata(context: Context, flags: ModelFlags): Promise<number> {
  const details = await run(context, 'generate_metadata', flags, {});
  if (details.status !== 'SUCCESS') return ended(context, details);
  const found = (details.result as { metadata?: unknown } | null)?.metadata ?? details.result;
  if (flags.output === undefined) {
    context.out.value(found);
    return 0;
  }
  await writeFile(resolve(context.shell.cwd, flags.output), `${JSON.stringify(found, null, 4)}\n`);
  context.out.tell(found, `metadata written to '${flags.output}'`);
  return 0;
}

async function run(context: Context, process: string, flags: ModelFlags, params: unknown): Promise<JobDetails> {
  const file = existingFile('-i', flags.input, context.shell.cwd);
  const name = flags.alias === undefined ? {} : { name: flags.alias };
  const id = await upload(context, { process, file, params, config: configOf(flags), ...name });
  context.out.note(`Job [ ${id} ] started`);
  const [details] = (await watchJobs(context, [id])) as [JobDetails];
  return details;
}

function ended({ out }: Context, details: JobDetails): number {
  if (details.status === 'SUCCESS' || out.json) out.value(details);
  else out.note(endLines(details));
  return exitCodeOfJob(details.status);
}
