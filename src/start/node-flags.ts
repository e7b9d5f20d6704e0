import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../config/project-root.js';

/** How Node is called for the API and for workers; see the preload for why. */
export const nodeFlags: readonly string[] = [
  '--import',
  pathToFileURL(join(projectRoot, 'dist', 'engine', 'light-workflow-thread.js')).href,
];
