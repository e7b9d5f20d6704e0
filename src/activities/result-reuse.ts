import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { JobRecord, JobSpec } from '../contract/job.js';
import { isMissing, linkOrCopy, readTextIfExists, writeFileAtomic } from '../store/atomic.js';
import { type Exact, isList, parseExact, stringifyExact } from '../store/exact-json.js';
import { fingerprintOf, walk } from '../store/fingerprint.js';
import type { JobStore } from '../store/job-store.js';
import { resolveFileRef } from '../store/layout.js';

/**
 * Taking the outputs and the result of an earlier job that was asked for the same. "The same" is a key over contents: the script
 * (or the command), its entrypoint, parameters, input, context and the engine; never queue, limits, names or places. A file of
 * the share that is named in the parameters counts by its content, so that the same step behind the same step is found again.
 *
 * What is not seen: modules that a script imports from elsewhere, files outside the share, the network, time. So it is off
 * unless asked for.
 */
export interface ReuseDeps {
  readonly store: JobStore;
  readonly processPath: string;
  /** Changes when the same script could do something else: version, and which 3D engine. */
  readonly engineVersion: string;
}

interface Entry {
  readonly jobId: string;
  /** Fingerprint of its outputs when it ended. */
  readonly outputs: string;
}

/** Contents that were hashed; by path, with what tells that the file is still the same. */
const hashes = new Map<string, { readonly mark: string; readonly hash: string }>();
const hashesKept = 2000;

/** @returns null when a file of the job is not there: then it is run, and says so */
export async function contentKey(deps: ReuseDeps, spec: JobSpec): Promise<string | null> {
  const places = { share: deps.store.root, processes: deps.processPath };
  try {
    const params = await byContent(deps.store.root, parseExact(spec.paramsText));
    const command =
      spec.command === undefined ? null : await byContent(deps.store.root, { ...spec.command } as unknown as Exact);
    const parts: Exact = [
      1,
      deps.engineVersion,
      command ?? (await hashOf(resolveFileRef(spec.script, places))),
      spec.entrypoint,
      params,
      spec.data === null ? null : await hashOf(resolveFileRef(spec.data, places)),
      spec.rootFile,
      spec.computeOnly,
      spec.raw,
      sorted(spec.context as Exact),
    ];
    return createHash('sha256').update(stringifyExact(parts)).digest('hex');
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Files of the share in the place of their paths by what is in them; keys in one order. */
async function byContent(root: string, value: Exact): Promise<Exact> {
  if (typeof value === 'string') {
    if (!value.startsWith(root + sep)) return value;
    const facts = await stat(value).catch(() => null);
    return facts?.isFile() === true ? { content: await hashOf(value) } : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) {
    const list: Exact[] = [];
    for (const one of value) list.push(await byContent(root, one));
    return list;
  }
  const made: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
  for (const key of Object.keys(value).sort()) made[key] = await byContent(root, value[key] as Exact);
  return made;
}

function sorted(value: Exact): Exact {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(sorted);
  const made: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
  for (const key of Object.keys(value).sort()) made[key] = sorted(value[key] as Exact);
  return made;
}

async function hashOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path);
  const mark = `${ino}.${size}.${mtimeMs}.${ctimeMs}`;
  const known = hashes.get(path);
  if (known?.mark === mark) return known.hash;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest('hex');
  hashes.delete(path);
  hashes.set(path, { mark, hash: digest });
  if (hashes.size > hashesKept) hashes.delete(hashes.keys().next().value as string);
  return digest;
}

/** The job that did the same, if its outputs and its result are still what they were. */
export async function findReusable(store: JobStore, key: string): Promise<JobRecord | null> {
  const text = await readTextIfExists(entryFile(store, key));
  if (text === null) return null;
  const entry = JSON.parse(text) as Entry;
  const record = await store.readRecord(entry.jobId);
  if (record === null || record.status !== 'SUCCESS' || record.cleanedAt !== null) return null;
  const paths = store.paths(entry.jobId);
  if ((await fingerprintOf(paths.outputs)) !== entry.outputs) return null;
  if (record.resultFile !== null && (await stat(paths.result).catch(() => null)) === null) return null;
  return record;
}

/** A certain earlier job, if it has succeeded with the same contents and still has its files. */
export async function sameDoneBefore(deps: ReuseDeps, jobId: string, key: string): Promise<JobRecord | null> {
  const { store } = deps;
  const [spec, record] = await Promise.all([store.readSpec(jobId), store.readRecord(jobId)]);
  if (spec === null || record === null || record.status !== 'SUCCESS' || record.cleanedAt !== null) return null;
  return (await contentKey(deps, spec)) === key ? record : null;
}

/**
 * Gives a job the outputs and the result of another. Files are linked, not copied: they take no room, and live until the last
 * job that has them is deleted.
 * @returns false when the other's files went away meanwhile, or cannot be shared; then nothing is left of them
 */
export async function takeOutputs(store: JobStore, from: JobRecord, jobId: string): Promise<boolean> {
  const [source, target] = [store.paths(from.jobId), store.paths(jobId)];
  try {
    for await (const entry of walk(source.outputs)) {
      const to = join(target.outputs, entry.path);
      if (entry.kind === 'folder') await mkdir(to, { recursive: true });
      else if (entry.kind === 'file') await linkOrCopy(join(source.outputs, entry.path), to);
      else throw new Unshareable();
    }
    if (from.resultFile !== null) {
      // Most results have no exact form of their own. It goes first: a result without it would pass for the exact one.
      await linkOrCopy(source.exact, target.exact).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
      await linkOrCopy(source.result, target.result);
    }
    return true;
  } catch (error) {
    if (!isMissing(error) && !(error instanceof Unshareable)) throw error;
    await Promise.all([
      rm(target.outputs, { recursive: true, force: true }),
      rm(target.result, { force: true }),
      rm(target.exact, { force: true }),
    ]);
    await mkdir(target.outputs, { recursive: true });
    return false;
  }
}

/** A link, or something stranger, among the outputs. */
class Unshareable extends Error {}

/** Lets later jobs find this one. The last that did the work is kept: it is the one that lives longest. */
export async function keepForReuse(store: JobStore, key: string, jobId: string): Promise<void> {
  await mkdir(reuseFolder(store), { recursive: true });
  const entry: Entry = { jobId, outputs: await fingerprintOf(store.paths(jobId).outputs) };
  await writeFileAtomic(entryFile(store, key), JSON.stringify(entry));
}

export function reuseFolder(store: JobStore): string {
  return join(store.root, '.reuse');
}

function entryFile(store: JobStore, key: string): string {
  return join(reuseFolder(store), `${key}.json`);
}
