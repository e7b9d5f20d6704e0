#!/usr/bin/env node
// @ts-check
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `pixyz` of an installed or built package; `npm run pixyz -- …` builds what is missing first. */
const built = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(fileURLToPath(built))) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
  // A connection that is kept alive keeps nobody waiting.
  process.exit();
} else {
  process.stderr.write('pixyz is not built yet: npm run build (npm run pixyz -- … does it by itself)\n');
  process.exitCode = 1;
}
