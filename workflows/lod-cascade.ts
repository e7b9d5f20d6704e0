import { task } from 'pixyz-temporal-scheduler/workflow';
import { z } from 'zod';

/** What a run is started with. The model comes beside it, as the part `model` of the form. */
export const input = z.object({
  ratios: z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .default([0.5, 0.25, 0.1, 0.05])
    .describe('Triangles of each level, as a part of those of the model; the largest first.'),
  worst: z
    .number()
    .gt(0)
    .max(1)
    .default(0.02)
    .describe('The quality gate: a level may look different in so much of its silhouette.'),
});

/** What `lod.py` returns. */
interface Level {
  readonly output: string;
  readonly triangles: number;
  readonly deviation: number;
}

/**
 * Makes levels of detail, each coarser than the one before, for as long as they look like the model.
 *
 * What the next step is depends on what the last one has measured: that is why this is a workflow and not a graph. The model
 * is read once; each level is made from that, so that errors do not add up.
 *
 *     curl -s $URL/workflows/lod-cascade -H "x-api-key: $TOKEN" -F 'run={"input": {"worst": 0.03}}' -F model=@samples/bolt.step
 */
export default async function lodCascade({ ratios, worst }: z.infer<typeof input>) {
  const full = task({ id: 'full', process: 'convert_file', data: 'model', params: { extension: 'glb' } });
  const levels: (Level & { ratio: number; job: string })[] = [];

  for (const ratio of [...ratios].sort((a, b) => b - a)) {
    const level = task<Level>({
      id: `level-${levels.length + 1}`,
      label: `${Math.round(ratio * 100)} % of the triangles`,
      script: 'lod.py',
      data: full.output('output.glb'),
      params: { ratio },
    });
    const made = await level;
    // The gate: a level that shows is not kept, and coarser ones would show even more.
    if (made.deviation > worst) return { levels, rejected: { ratio, deviation: made.deviation } };
    levels.push({ ...made, ratio, job: level.job });
  }
  return { levels, rejected: null };
}
