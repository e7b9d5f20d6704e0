import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

// The shipped processes on real files, through REST, Temporal and Python.

const samples = join(projectRoot, 'samples');
let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
});
afterAll(() => system.stop());

async function output(jobId: string, name: string): Promise<Buffer> {
  const answer = await system.api.get(`/jobs/${jobId}/outputs/${name}`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

describe('a STEP assembly', () => {
  it('comes out as GLB with its names', async () => {
    const details = await system.api.run(
      { process: 'convert_file', file: join(samples, 'pump-unit.step'), params: { extension: 'glb' } },
      120_000,
    );
    expect(details).toMatchObject({ status: 'SUCCESS', result: { output: 'output.glb' } });
    expect(details.steps).toHaveLength(3);
    const glb = await output(details.uuid, 'output.glb');
    expect(glb.subarray(0, 4).toString()).toBe('glTF');
    const json = JSON.parse(glb.subarray(20, 20 + glb.readUInt32LE(12)).toString()) as { nodes: { mesh?: number }[] };
    expect(json.nodes.filter((one) => one.mesh !== undefined)).toHaveLength(9);
  });

  it('has its nine parts counted', async () => {
    const details = await system.api.run(
      { process: 'generate_metadata', file: join(samples, 'pump-unit.step') },
      120_000,
    );
    expect(details).toMatchObject({ status: 'SUCCESS', result: { metadata: { part_count: 9 } } });
  });

  // Parts of one material are merged for the preview: six materials are left.
  it('comes out as pictures, a preview and metadata', async () => {
    const details = await system.api.run(
      { process: 'generate_thumbnails', file: join(samples, 'pump-unit.step'), params: { width: 256, height: 192 } },
      180_000,
    );
    expect(details).toMatchObject({
      status: 'SUCCESS',
      result: { preview: { file: 'preview.glb', size: '256x192' }, metadata: { part_count: 6 } },
    });
    for (const name of ['iso.png', 'x.png', 'y.png', 'z.png']) {
      const png = await output(details.uuid, name);
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([256, 192]);
    }
    expect(JSON.parse((await output(details.uuid, 'metadata.json')).toString())).toMatchObject({ part_count: 6 });
  });
});

describe('every sample', () => {
  const files = readdirSync(samples).filter((name) => /\.(step|igs|brep|glb|stl|ply|obj|fbx|dae|3mf|zip)$/.test(name));
  it.each(files)('%s converts to GLB', async (name) => {
    const details = await system.api.run(
      { process: 'convert_file', file: join(samples, name), params: { extension: 'glb' } },
      120_000,
    );
    expect(details.error).toBe(null);
    expect((await output(details.uuid, 'output.glb')).subarray(0, 4).toString()).toBe('glTF');
  });
});

describe('broken input', () => {
  const broken = readdirSync(join(samples, 'broken')).filter(
    (name) => name !== 'crash-segfault.step' && name !== 'truncated.obj',
  );
  it.each(broken)('%s is a failure whose error names the file', async (name) => {
    const details = await system.api.run(
      { process: 'convert_file', file: join(samples, 'broken', name), params: { extension: 'glb' } },
      120_000,
    );
    expect(details.status).toBe('FAILURE');
    expect(details.attempts).toHaveLength(1);
    expect(details.error).toContain(name);
  });

  it('an unknown extension, on the way in or out, is a failure that says which are known', async () => {
    const into = await system.api.run({
      process: 'convert_file',
      file: join(samples, 'bolt.step'),
      params: { extension: 'xyz' },
    });
    expect(into.error).toMatch(/xyz/);
    const from = await system.api.run({ process: 'convert_file', file: { name: 'model.xyz', content: 'x' } });
    expect(from.error).toMatch(/xyz/);
  });
});
