import { chmodSync, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SetUpTools } from '../setup/tools.js';
import { hasPrograms, publishPrograms } from './program-cache.js';
import {
  cliFolder,
  cliProgram,
  sdkVersion,
  serverVersion,
  type TemporalPrograms,
  versionOf,
} from './temporal-programs.js';

/**
 * Temporal's command-line program, as the SDK downloads it for its test environments: the same question to the same
 * address, which answers with the archive for this SDK version. Done here, and not by the SDK, for three things: it gives
 * up within seconds where there is no internet, shows how far it is, and records a checksum.
 */

const service = 'https://temporal.download';
const answerWithinMs = 4000;
const stalledAfterMs = 30_000;

interface Archive {
  readonly archiveUrl: string;
  readonly fileToExtract: string;
}

/** null: it is not to be had here. That is no fault, and nothing is said of it. */
export async function downloadCli(
  cachePath: string,
  tools: SetUpTools,
  { baseUrl = service }: { readonly baseUrl?: string } = {},
): Promise<TemporalPrograms | null> {
  const version = sdkVersion();
  const destination = cliFolder(cachePath, version);
  const programs = { kind: 'cli', cli: join(destination, cliProgram) } as const;
  const archive = await ask(baseUrl, version);
  if (archive === null) return null;
  mkdirSync(dirname(destination), { recursive: true });
  const waiting = () => tools.say("  another set-up is downloading Temporal's command-line program; waiting for it …");
  return tools.withLock(`${destination}.lock`, waiting, async () => {
    if (await hasPrograms(destination, [cliProgram])) return programs;
    try {
      await tools.step("Temporal's command-line program", (detail) => fetchTo(destination, archive, tools, detail));
      return programs;
    } catch (error) {
      tools.say(`  ${(error as Error).message}`);
      return null;
    } finally {
      rmSync(`${destination}.new`, { recursive: true, force: true });
    }
  });
}

async function ask(baseUrl: string, version: string): Promise<Archive | null> {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as string];
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (platform === undefined || arch === undefined) return null;
  const query = new URLSearchParams({
    arch,
    platform,
    format: 'tar.gz',
    'sdk-name': 'sdk-typescript',
    'sdk-version': version,
  });
  try {
    const response = await fetch(`${baseUrl}/cli/default?${query.toString()}`, {
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (!response.ok) return null;
    const archive = (await response.json()) as Partial<Archive>;
    if (typeof archive.archiveUrl !== 'string' || typeof archive.fileToExtract !== 'string') return null;
    return { archiveUrl: archive.archiveUrl, fileToExtract: archive.fileToExtract };
  } catch {
    return null;
  }
}

async function fetchTo(
  destination: string,
  archive: Archive,
  tools: SetUpTools,
  detail: (text: string) => void,
): Promise<void> {
  const folder = `${destination}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(new Error('the download stalled')), stalledAfterMs);
  const file = join(folder, 'archive.tar.gz');
  try {
    const response = await fetch(archive.archiveUrl, { signal: stalled.signal });
    if (!response.ok || response.body === null) {
      throw new Error(`the download of Temporal's command-line program answered ${response.status}`);
    }
    const total = Number(response.headers.get('content-length') ?? 0);
    let received = 0;
    const source = Readable.fromWeb(response.body as never);
    source.on('data', (chunk: Buffer) => {
      received += chunk.length;
      const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
      detail(`${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ''} MB`);
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(new Error('the download stalled')), stalledAfterMs);
    });
    await pipeline(source, createWriteStream(file));
  } finally {
    clearTimeout(timer);
  }
  detail('unpacking');
  await tools.runProgram('tar', ['-xzf', file, '-C', folder, archive.fileToExtract], { what: 'unpacking it' });
  rmSync(file);
  const program = join(folder, cliProgram);
  const extracted = join(folder, archive.fileToExtract);
  if (extracted !== program) renameSync(extracted, program);
  chmodSync(program, 0o755);
  const version = await versionOf(program);
  if (!existsSync(program) || version === null || serverVersion(version) === null) {
    throw new Error(`${basename(archive.archiveUrl)} was downloaded, but its program does not run`);
  }
  await publishPrograms(folder, destination, { [cliProgram]: version });
}
