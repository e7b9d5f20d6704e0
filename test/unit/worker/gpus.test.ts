import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GpuWatch, gpusOf } from '../../../src/worker/gpus.js';

describe('the GPUs of a machine', () => {
  it('are read from what nvidia-smi prints, and a GPU that does not tell something is shown without it', () => {
    const text =
      '0, NVIDIA H100 80GB HBM3, 81559, 584, 17\n1, NVIDIA A2, 15356, 0, [N/A]\n\nUnable to determine the device\n';
    expect(gpusOf(text)).toEqual([
      {
        index: 0,
        name: 'NVIDIA H100 80GB HBM3',
        memoryTotal: 81559 * 2 ** 20,
        memoryUsed: 584 * 2 ** 20,
        utilization: 17,
      },
      { index: 1, name: 'NVIDIA A2', memoryTotal: 15356 * 2 ** 20, memoryUsed: 0, utilization: null },
    ]);
  });

  it('are asked for with the program, and none where it is not there or fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pixyz-gpus-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, 'nvidia-smi');
    writeFileSync(program, '#!/bin/sh\n[ "$2" = "--format=csv,noheader,nounits" ] && echo "0, GPU, 100, 50, 1"\n');
    chmodSync(program, 0o755);
    const watch = new GpuWatch(program);
    await watch.refresh();
    expect(watch.list).toHaveLength(1);
    writeFileSync(program, '#!/bin/sh\nexit 9\n');
    await watch.refresh();
    expect(watch.list).toEqual([]);
    const none = new GpuWatch(join(folder, 'not-there'));
    await none.refresh();
    expect(none.list).toEqual([]);
  });
});
