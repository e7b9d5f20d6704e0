import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Starts the files that take longest first, of whichever tier, so that all workers end at about the same time. How long they
 * take is known from the last run in this folder; a fresh clone goes by what they took where this was written. A wrong
 * figure costs some seconds and nothing else.
 */
const usualSeconds: Readonly<Record<string, number>> = {
  'e2e/docs': 90,
  'e2e/workflow-files': 80,
  'e2e/kills': 70,
  'integration/start/start': 50,
  'e2e/canvas-tutorials': 60,
  'workflow/parts': 50,
  'e2e/page-job': 40,
  'e2e/demo': 40,
  'e2e/graph-kills': 40,
  'e2e/workflow-kills': 40,
  'e2e/pause-and-drain': 35,
  'workflow/pixyz-graph': 35,
};
const usualOfTier: Readonly<Record<string, number>> = { e2e: 20, workflow: 18, replay: 6, integration: 3, unit: 1 };

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx;
    const seconds = ({ moduleId, project }: TestSpecification): number => {
      const path = relative(config.root, moduleId);
      const name = path.replace(/^test\//, '').replace(/\.test\.ts$/, '');
      const last = (cache.getFileTestResults(`${project.name}:${path}`)?.duration ?? 0) / 1000;
      // The last run may have been of one test of the file.
      return Math.max(last, usualSeconds[name] ?? 0) || (usualOfTier[name.split('/')[0] ?? ''] ?? 1);
    };
    const group = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return files.toSorted((a, b) => group(a) - group(b) || seconds(b) - seconds(a));
  }
}
