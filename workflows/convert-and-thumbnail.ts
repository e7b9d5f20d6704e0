import { log, task } from 'pixyz-temporal-scheduler/workflow';
import { z } from 'zod';

/** What a run is started with. The model comes beside it, as the part `model` of the form. */
export const input = z.object({
  extension: z.enum(['glb', 'obj', 'stl', 'usdz', 'pxz']).default('glb').describe('Format to convert the model to.'),
  size: z.number().int().min(16).max(4096).default(512).describe('Width and height of the pictures, in pixels.'),
});

/**
 * Converts a model, and makes pictures of it.
 *
 * The pictures are made from the original while it is converted: both start at once, on whatever workers are free. Pictures
 * that cannot be made do not cost the conversion: the run tells why, and succeeds.
 *
 *     curl -s $URL/workflows/convert-and-thumbnail -H "x-api-key: $TOKEN" -F 'run={"input": {"extension": "glb"}}' \
 *          -F model=@samples/bolt.step
 */
export default async function convertAndThumbnail({ extension, size }: z.infer<typeof input>) {
  const converted = task<{ output: string; engine: string }>({
    id: 'convert',
    process: 'convert_file',
    data: 'model',
    params: { extension },
  });
  const pictures = task({
    id: 'pictures',
    process: 'generate_thumbnails',
    data: 'model',
    // Where there is a GPU, its own queue would be the better one.
    queue: 'cpu',
    params: { width: size, height: size },
  });

  const { output, engine } = await converted;
  const end = await pictures.settled();
  if (end.state !== 'succeeded') log.warn('there are no pictures', { why: end.message });
  return {
    model: { job: converted.job, output, engine },
    pictures: end.state === 'succeeded' ? { job: pictures.job } : { problem: end.message },
  };
}
