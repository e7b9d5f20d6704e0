import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestOf } from '../config/project-root.js';

/** What bundles of workflow files have in them of ours; a change of it makes new versions of all files. */
const ours = ['workflow-sdk', 'workflow-files', 'workflows', 'graph', 'contract'];

export function engineKey(): string {
  const hash = createHash('sha256');
  const tree = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const folder of ours) {
    for (const name of readdirSync(join(tree, folder)).sort())
      if (/(?<!\.d)\.[jt]s$/.test(name))
        hash.update(`${folder}/${name}\n`).update(readFileSync(join(tree, folder, name)));
  }
  return hash
    .update(readFileSync(manifestOf('@temporalio/worker')))
    .digest('hex')
    .slice(0, 16);
}
