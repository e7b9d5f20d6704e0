import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, projectRoot } from '../config/project-root.js';
import type { SetUpTools } from './tools.js';

/**
 * The workflows as one file, so that a worker does not bundle them at each start (two seconds of a core).
 * It is named after the sources that can reach it: everything that workflows may import.
 */

const reachable = ['workflows', 'graph', 'contract', 'errors'];
export const workflowBundleFile = join(projectRoot, 'dist', 'workflow-bundle.js');
const keyFile = join(projectRoot, 'dist', 'workflow-bundle.key');

function bundleKey(): string {
  const hash = createHash('sha256');
  hash.update(readFileSync(manifestOf('@temporalio/worker')));
  for (const folder of reachable) {
    const files = readdirSync(join(projectRoot, 'src', folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort();
    for (const file of files) hash.update(`${file.slice(projectRoot.length)}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

export function workflowBundleIsFresh(): boolean {
  // An image ships what was built, without the sources: then there is nothing to compare with.
  if (!existsSync(join(projectRoot, 'src', 'workflows'))) return existsSync(workflowBundleFile);
  try {
    return existsSync(workflowBundleFile) && readFileSync(keyFile, 'utf8') === bundleKey();
  } catch {
    return false;
  }
}

export async function ensureWorkflowBundle(tools: Pick<SetUpTools, 'step'>): Promise<void> {
  if (workflowBundleIsFresh()) return;
  await tools.step('workflow bundle', async () => {
    const key = bundleKey();
    const { bundleWorkflowCode } = await import('@temporalio/worker');
    const problems: string[] = [];
    const collect = (message: string, meta?: object) => problems.push(`${message} ${JSON.stringify(meta ?? {})}`);
    const quiet = () => {};
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(projectRoot, 'dist', 'workflows', 'index.js'),
      logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: collect },
    }).catch((error: unknown) => {
      throw new Error(
        `the workflows cannot be bundled: ${(error as Error).message}\n${problems.join('\n')}`.trimEnd(),
        {
          cause: error,
        },
      );
    });
    write(workflowBundleFile, code);
    write(keyFile, key);
  });
}

function write(file: string, text: string): void {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}
