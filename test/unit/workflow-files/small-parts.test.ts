import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { graphNodeRequestSchema } from '../../../src/compile/graph-request.js';
import { versionOfQueue, versionQueue } from '../../../src/contract/workflow-queues.js';
import { docOf } from '../../../src/workflow-files/doc-comment.js';
import { globPattern } from '../../../src/workflow-files/glob-pattern.js';
import { nodeOf, type TaskOptions } from '../../../src/workflow-sdk/options.js';
import { OutputReference, Reference } from '../../../src/workflow-sdk/reference.js';

describe('the documentation of a workflow', () => {
  it.each([
    ['/** One. */\nexport default async function one() {}', 'One.'],
    ['/** Two.\n * More.\n */\nexport default async () => 1;', 'Two.\nMore.'],
    [
      '/** Input. */\nexport const input = {};\n/** Three. */\nasync function three() {}\nexport default three;',
      'Three.',
    ],
    ['/** The file. */\nimport x from "y";\nexport default async () => x;', 'The file.'],
    ['import x from "y";\n/** Something else. */\nconst a = 1;\nexport default async () => x + a;', null],
    ['export default async () => 1;', null],
  ])('of %j is %j', (source, doc) => {
    expect(docOf(source)).toBe(doc);
  });
});

describe('a pattern for files', () => {
  it.each([
    ['*.step', ['a.step', 'A.STEP'], ['b/a.step', 'a.stp', 'astep']],
    ['*.{step,igs}', ['a.step', 'a.igs'], ['a.iges', 'a.']],
    ['**/*.step', ['a.step', 'b/c/a.step'], ['a.stp']],
    ['in/**', ['in/a', 'in/b/c'], ['out/a']],
    ['part-?.(1)', ['part-7.(1)'], ['part-77.(1)', 'part-/.(1)']],
  ])('%s', (pattern, fits, fitsNot) => {
    const matches = globPattern(pattern);
    for (const name of fits) expect(matches.test(name), name).toBe(true);
    for (const name of fitsNot) expect(matches.test(name), name).toBe(false);
  });
});

describe('the queue of a version', () => {
  it('tells its name and version, and no other queue does', () => {
    expect(versionOfQueue(versionQueue('nightly-batch', '0a1b2c'))).toEqual({
      name: 'nightly-batch',
      version: '0a1b2c',
    });
    expect(versionOfQueue('cpu')).toBe(null);
    expect(versionOfQueue('pixyz:engine')).toBe(null);
  });
});

describe('the options of a task', () => {
  it('become a node of POST /graphs, field by field', () => {
    const before = { last: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] };
    expect(
      nodeOf('one', {
        process: 'sleep',
        timeLimit: 5,
        computeOnly: true,
        after: [before],
        params: {
          size: new Reference('nodes["a"].result.size'),
          text: `${new OutputReference('b', 'x.glb').toString()}!`,
        },
        data: new OutputReference('b', 'x.glb'),
        when: new Reference('nodes["a"].result.ok'),
      }),
    ).toEqual({
      id: 'one',
      process: 'sleep',
      time_limit: 5,
      compute_only: true,
      deps: ['a', 'b'],
      params: {
        size: expect.objectContaining({ expression: 'nodes["a"].result.size' }),
        text: '${{ nodes["b"].folder + "/x.glb" }}!',
      },
      data: { node: 'b', output: 'x.glb' },
      when: 'nodes["a"].result.ok',
    });
    expect(JSON.stringify(new Reference('nodes["a"].result'))).toBe('"${{ nodes[\\"a\\"].result }}"');
  });

  it('have a field for every one of a node, in the spelling of TypeScript', () => {
    type Snake<S extends string> = S extends `${infer A}${infer B}`
      ? `${A extends Lowercase<A> ? A : `_${Lowercase<A>}`}${Snake<B>}`
      : S;
    // `raw` is for Celery programs, null in `env` does what `env_unset` does, and `after` is `deps`.
    type Own = Exclude<Snake<keyof TaskOptions>, 'after'>;
    type Theirs = Exclude<keyof z.infer<typeof graphNodeRequestSchema>, 'raw' | 'env_unset' | 'deps'>;
    const same: [Own, Theirs] extends [Theirs, Own] ? true : false = true;
    expect(same).toBe(true);
  });
});
