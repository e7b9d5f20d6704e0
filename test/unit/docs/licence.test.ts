import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { page } from './pages.js';

it('the licence is there, unmodified, and the README and the package name it', () => {
  const text = readFileSync(join(projectRoot, 'LICENSE'));
  // Apache-2.0 as published, without the empty line at its beginning.
  expect(createHash('sha256').update(text).digest('hex')).toBe(
    'c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4',
  );
  expect(page('README.md').text).toContain('[Apache-2.0](LICENSE)');
  const { license } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { license: string };
  expect(license).toBe('Apache-2.0');
});
