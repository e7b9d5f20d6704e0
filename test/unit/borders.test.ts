import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';

/** Who may import whom: a folder of `src`, and those that it must not know. */
const borders: readonly (readonly [folder: string, ...strangers: string[]])[] = [
  ['contract', 'activities', 'api', 'compile', 'engine', 'runner', 'store', 'worker', 'workflow-files', 'workflows'],
  ['graph', 'activities', 'api', 'compile', 'engine', 'runner', 'store', 'worker', 'workflow-files', 'workflows'],
  ['compile', 'activities', 'api', 'engine', 'worker', 'workflow-files', 'workflows'],
  ['store', 'activities', 'api', 'compile', 'engine', 'runner', 'worker', 'workflow-files', 'workflows'],
  ['runner', 'activities', 'api', 'compile', 'engine', 'worker', 'workflow-files', 'workflows'],
  ['activities', 'api', 'workflow-files'],
  ['workflows', 'api', 'compile', 'engine', 'runner', 'store', 'worker', 'workflow-files'],
  ['workflow-sdk', 'api', 'compile', 'engine', 'runner', 'store', 'worker', 'workflow-files'],
  ['workflow-files', 'api'],
  ['worker', 'api'],
];

describe('who imports whom', () => {
  it.each(borders)('src/%s keeps to its side', (folder, ...strangers) => {
    const root = join(projectRoot, 'src');
    const found = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const path = join(root, folder, file);
        const imports = [...readFileSync(path, 'utf8').matchAll(/^(?:import|export|\} from)\b[^;]*?'(\.[^']+)'/gm)];
        return imports.map(([, target = '']) => ({
          file: `${folder}/${file}`,
          target: relative(root, join(path, '..', target)),
        }));
      })
      .filter(({ target }) => strangers.some((stranger) => target.startsWith(`${stranger}/`)));
    expect(found).toEqual([]);
  });
});
