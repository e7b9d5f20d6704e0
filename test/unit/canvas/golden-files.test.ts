import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { canvasNodeSchema, scriptRequestSchema } from '../../../src/contract/canvas.js';
import { nodeSpecSchema } from '../../../src/contract/graph-document.js';
import { retryPolicyOf } from '../../../src/graph/retry-policy.js';

// Python compiles canvases, TypeScript runs them: both read these files, so neither can go its own way.

const folder = join(projectRoot, 'test', 'fixtures', 'canvases');
const files = readdirSync(folder).map((name) => ({
  name,
  ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as { nodes: Record<string, unknown>[]; shape: unknown }),
}));
const retry = retryPolicyOf(1, 2400, { retryTimeLimit: 3600, rescueWait: 5 });

describe('a canvas that Python has compiled', () => {
  it.each(files)('$name is nodes of a graph document', ({ nodes }) => {
    for (const node of nodes) {
      expect(nodeSpecSchema.parse({ ...node, retry })).toEqual({ ...node, retry });
      expect(canvasNodeSchema.parse(node)).toEqual(node);
    }
  });

  it('may leave out what is as usual', () => {
    const { index, id } = { index: 1, id: 'a-1' };
    const usual = files.flatMap(({ nodes }) => nodes).find((node) => node['kind'] === 'script') ?? {};
    const sparse = canvasNodeSchema.parse({ index, id });
    expect(Object.keys(sparse).sort()).toEqual(Object.keys(usual).sort());
    expect(sparse).toMatchObject({ queue: 'gpu', priority: 3, trigger: 'all_succeeded', raw: true, handsOn: 'value' });
  });

  it('is refused with unknown words, so that a newer package cannot be half understood', () => {
    const [node] = files[0]?.nodes ?? [];
    const request = { kind: 'submit', call: 0, name: null, taskId: null, files: {}, shape: [1, null] };
    expect(scriptRequestSchema.safeParse({ ...request, nodes: [node] }).success).toBe(true);
    expect(scriptRequestSchema.safeParse({ ...request, nodes: [{ ...node, colour: 1 }] }).success).toBe(false);
    expect(scriptRequestSchema.safeParse({ ...request, nodes: [] }).success).toBe(false);
    expect(scriptRequestSchema.safeParse({ ...request, nodes: [node], files: { '../x': '' } }).success).toBe(false);
  });
});
