import { type FoundFile, file, filesIn, task } from 'pixyz-temporal-scheduler/workflow';
import { z } from 'zod';

/** What a run is started with. Both folders must have the same path on all machines. */
export const input = z.object({
  folder: z.string().describe('Where the models lie.'),
  pattern: z.string().default('*.{step,stp,iges,igs,brep}').describe('Which of the files; `**/` for folders below.'),
  target: z.string().describe('Where the converted models go, under the names of the originals.'),
  extension: z.string().default('glb').describe('Format to convert to.'),
});

/**
 * Converts all models of a folder, and puts them into another one. Made to run every night, on a schedule:
 *
 *     curl -s $URL/workflows/nightly-batch/schedules -H "x-api-key: $TOKEN" -H 'content-type: application/json' \
 *          -d '{"id": "every-night", "cron": "0 2 * * *", "timezone": "Europe/Paris",
 *               "input": {"folder": "/mnt/cad/incoming", "target": "/mnt/cad/converted"}}'
 *
 * A model that has not changed since an earlier night is not converted again (`reuse`). One that cannot be converted does not
 * stop the others: the run ends with the list of what went wrong.
 */
export default async function nightlyBatch({ folder, pattern, target, extension }: z.infer<typeof input>) {
  const files = await filesIn(folder, pattern);
  const ends = await Promise.all(
    files.map(async (found) => {
      const last = convertAndPublish(found, target, extension);
      return { name: found.name, end: await last.settled() };
    }),
  );
  return {
    converted: ends.filter(({ end }) => end.state === 'succeeded').map(({ name }) => name),
    failed: ends.flatMap(({ name, end }) => (end.state === 'succeeded' ? [] : [{ name, why: end.message }])),
  };
}

function convertAndPublish({ name, path }: FoundFile, target: string, extension: string) {
  const converted = task({
    id: `convert ${name}`,
    process: 'convert_file',
    data: file(path),
    params: { extension },
    reuse: true,
    // A batch of the night gives way to what people wait for.
    priority: 8,
  });
  return task({
    id: `publish ${name}`,
    script: 'publish.py',
    params: {
      from: converted.output(`output.${extension}`),
      to: `${target}/${name.replace(/\.[^./]*$/, '')}.${extension}`,
    },
    priority: 8,
  });
}
