import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ApiError } from '../../client/index.js';
import type { Commands, Context } from '../context.js';
import { CliError } from '../exit-codes.js';
import { oneId, wholeNumber } from '../options.js';
import { sizeText, table } from '../output.js';
import { type TransferBar, transferBar } from '../transfer.js';
import { withJob } from './jobs.js';

interface DownloadFlags {
  readonly jobid?: string;
  readonly file?: string;
  readonly output?: string;
  readonly timeout?: number;
}

export function outputCommands(commands: Commands): void {
  commands.add<{ readonly jobid?: string }>(
    'outputs [job]',
    'files that a job has made',
    withJob,
    async ({ client, out }, flags, ...words) => {
      const id = oneId(flags, words);
      if (!out.forPeople) {
        out.value(await client.jobs.outputs(id));
        return 0;
      }
      const { files = [] } = await client.jobs.outputs(id, { recursive: true });
      const rows = files.map(({ path, size, modified }) => [
        sizeText(size),
        modified.slice(0, 19).replace('T', ' '),
        path,
      ]);
      out.print(table(['SIZE', 'TIME', 'FILE'], rows));
      return 0;
    },
  );

  commands
    .add<DownloadFlags>(
      'download [job]',
      'fetch one output; goes on where an earlier download was broken off',
      (command) =>
        withJob(command)
          .option('-f, --file <path>', 'the output; not needed when there is only one')
          .option('-o, --output <file>', 'local file, or folder; - for standard output'),
      downloadOne,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz download -j $JOB -f output.glb\n  pixyz download -j $JOB -f pictures/iso.png -o - | display',
    );

  commands.add<DownloadFlags>(
    'download_all [job]',
    'fetch all outputs as a zip, once the job has ended',
    (command) =>
      withJob(command)
        .alias('download-all')
        .option('-o, --output <file>', 'local file, or folder; - for standard output (default: <id>.zip)')
        .option('--timeout <seconds>', 'how long to wait for the archive', wholeNumber, 600),
    downloadAll,
  );
}

async function downloadOne(context: Context, flags: DownloadFlags, ...words: string[]): Promise<number> {
  const { client, out, shell } = context;
  const id = oneId(flags, words);
  const file = flags.file ?? (await onlyOutput(context, id));
  if (isStdout(flags.output)) {
    await client.jobs.downloadTo(id, file, shell.binary as never, { signal: shell.stop });
    return 0;
  }
  const target = fileAt(flags.output, basename(file), shell.cwd);
  const { sizeBytes, resumedAt } = await fetchOutput(context, id, file, resolve(shell.cwd, target));
  const resumed = resumedAt > 0 ? `, ${sizeText(resumedAt)} of it earlier` : '';
  out.tell(
    { job: id, output: file, file: target, size: sizeBytes, resumed_at: resumedAt },
    `Job [ ${id} ] output '${file}' downloaded to '${target}' (${sizeText(sizeBytes)}${resumed})`,
  );
  return 0;
}

/** By its other name, too: what is written to that by itself, and what the shell writes after it, would overwrite each other. */
const isStdout = (output: string | undefined) => output === '-' || output === '/dev/stdout';

/** As `cp` takes it: a folder that is there, or a name that ends as one does, is where the file goes. */
export function fileAt(output: string | undefined, name: string, cwd: string): string {
  if (output === undefined) return name;
  const isFolder =
    /[/\\]$/.test(output) || statSync(resolve(cwd, output), { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? join(output, name) : output;
}

export async function fetchOutput(context: Context, id: string, file: string, target: string) {
  const transfer = transferBar(context, `Downloading ${basename(target)}`);
  try {
    const { onProgress } = transfer;
    return await context.client.jobs.download(id, file, target, { onProgress, signal: context.shell.stop });
  } catch (error) {
    tellStopped(context, transfer);
    throw error;
  } finally {
    transfer.done();
  }
}

/** What has come is kept: whoever stopped it may want to know. */
function tellStopped({ shell, out }: Context, transfer: TransferBar): void {
  transfer.done();
  if (shell.stop.aborted && transfer.reached() !== '')
    out.note(`stopped at ${transfer.reached()}: the same command goes on from there`);
}

/** Every output, in its folders. */
export async function fetchOutputs(context: Context, id: string, folder: string): Promise<string[]> {
  const { files = [] } = await context.client.jobs.outputs(id, { recursive: true });
  await mkdir(folder, { recursive: true });
  const root = resolve(folder);
  for (const { path } of files) {
    const target = resolve(root, path);
    // A name must not lead out of the folder, whatever the server says.
    if (!target.startsWith(`${root}/`) && !target.startsWith(`${root}\\`))
      throw new CliError(`the output "${path}" is left out`);
    await mkdir(dirname(target), { recursive: true });
    await fetchOutput(context, id, path, target);
  }
  return files.map(({ path }) => path);
}

async function onlyOutput({ client }: Context, id: string): Promise<string> {
  const { files = [] } = await client.jobs.outputs(id, { recursive: true });
  const [first, more] = files;
  if (first === undefined) throw new CliError(`job ${id} has no outputs`);
  if (more !== undefined)
    throw new CliError(
      `which output (-f)? There are ${files.length}: ${files
        .slice(0, 10)
        .map(({ path }) => path)
        .join(', ')}`,
    );
  return first.path;
}

async function downloadAll(context: Context, flags: DownloadFlags, ...words: string[]): Promise<number> {
  const { client, out, shell, live } = context;
  const id = oneId(flags, words);
  const target = fileAt(flags.output, `${id}.zip`, shell.cwd);
  const toStdout = isStdout(flags.output);
  if (!out.json && !toStdout) out.print('Requesting job output file download...');
  const transfer = transferBar(context, `Downloading ${basename(target)}`);
  try {
    const options = {
      waitMs: (flags.timeout ?? 600) * 1000,
      onWait: () => live.draw(['waiting until the archive is made …']),
      signal: shell.stop,
    };
    if (toStdout) {
      await client.jobs.archiveTo(id, shell.binary as never, options);
      return 0;
    }
    const { onProgress } = transfer;
    const { sizeBytes } = await client.jobs.archive(id, resolve(shell.cwd, target), { ...options, onProgress });
    transfer.done();
    out.tell(
      { job: id, file: target, size: sizeBytes },
      `Job [ ${id} ] outputs downloaded to '${target}' (${sizeText(sizeBytes)})`,
    );
    return 0;
  } catch (error) {
    tellStopped(context, transfer);
    if (error instanceof ApiError && error.status === 425)
      throw new CliError(`the archive is not there yet (${error.message}): ask again later`);
    throw error;
  } finally {
    transfer.done();
  }
}
