import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { describe, expect, test } from 'vitest';
import { resolveSettings } from '../../../src/compile/job-settings.js';
import { projectRoot } from '../../../src/config/project-root.js';
import { foreignNames, settingsSchema, unusedNames } from '../../../src/config/schema.js';
import { readSettings } from '../../../src/config/settings.js';

const example = readFileSync(join(projectRoot, 'pixyz-scheduler.conf.example'), 'utf8');
const lines = example.split('\n');
const assignment = /^#?([A-Z][A-Z0-9_]*)=(.*)$/;

describe('pixyz-scheduler.conf.example', () => {
  test('names every setting, and every accepted name of the original, exactly once', () => {
    const names = lines.map((line) => assignment.exec(line)?.[1]).filter((name) => name !== undefined);
    expect(names.toSorted()).toEqual(
      [...new Set([...Object.keys(settingsSchema.shape), ...unusedNames, ...foreignNames])].toSorted(),
    );
  });

  test('describes each setting in the words of the schema', () => {
    for (const [name, setting] of Object.entries(settingsSchema.shape)) {
      if ((unusedNames as readonly string[]).includes(name)) continue;
      const index = lines.findIndex((line) => assignment.exec(line)?.[1] === name);
      expect(lines[index - 1], name).toBe(`# ${setting.description}`);
    }
  });

  test('changes nothing when it is taken as it is, with every line in force', () => {
    const inForce = lines.map((line) => line.replace(assignment, '$1=$2')).join('\n');
    expect(readSettings(parse(inForce), '/anywhere')).toEqual(readSettings({}, '/anywhere'));
  });

  test('does not promise that PIXYZ_TIME_LIMIT counts for jobs of the API, which get 3600 s without one', () => {
    expect(settingsSchema.shape.PIXYZ_TIME_LIMIT.description).toContain('Jobs of the API get 3600');
    expect(resolveSettings({}, {}).timeLimit).toBe(3600);
  });
});
