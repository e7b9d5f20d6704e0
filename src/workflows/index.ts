export { cancelAlone } from './cancel-alone.js';
export { deliverCallback } from './deliver-callback.js';
export { launchScheduled } from './launch-scheduled.js';
export { pixyzGraph } from './pixyz-graph.js';
export { pixyzGraphPart } from './pixyz-graph-part.js';
export { retention } from './retention.js';
export { zipOutputs } from './zip-outputs.js';
