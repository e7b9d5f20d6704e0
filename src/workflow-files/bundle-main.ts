import type { BuildRequest } from './build.js';
import { bundleFile } from './bundle.js';

/** Bundles what it is asked for by messages of its parent, and ends with it. */
process.on('message', ({ folder, name, file, scripts }: BuildRequest) => {
  void bundleFile(folder, name, file, scripts).then((bundled) => process.send?.(bundled));
});
process.on('disconnect', () => process.exit());
