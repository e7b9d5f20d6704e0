import { bundleFile } from './bundle.js';

/** `bundle-main.js FOLDER NAME FILE SCRIPTS`: what came of it on standard output, as JSON. */
const [, , folder = '', name = '', file = '', scripts = ''] = process.argv;
process.stdout.write(JSON.stringify(await bundleFile(folder, name, file, scripts)));
