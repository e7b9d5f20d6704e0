import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../config/project-root.js';

/** The tuning of the Temporal server: one file for all ways to run one. */
export const dynamicConfigFile = join(projectRoot, 'tools', 'temporal', 'dynamicconfig.yaml');

/**
 * The file as key and value, for Temporal's command-line program, which takes single values only. It reads the shape
 * that the file has (a key, then `- value: …`), not YAML at large.
 * @throws when a line has another shape.
 */
export function readDynamicConfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let key: string | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/\s*#.*$/, '');
    if (content.trim() === '') continue;
    const name = /^([A-Za-z][\w.]*):$/.exec(content);
    const value = /^\s+- value:\s*(.+)$/.exec(content);
    if (name) key = name[1] as string;
    else if (value && key !== null && !values.has(key)) values.set(key, (value[1] as string).trim());
    else throw new Error(`line ${index + 1} of the dynamic configuration is not "key:" or "  - value: …": ${line}`);
  }
  return values;
}

export function loadDynamicConfig(file = dynamicConfigFile): Map<string, string> {
  return readDynamicConfig(readFileSync(file, 'utf8'));
}
