export { createRecordActivities, type RecordActivities } from './record-activities.js';
export { createScriptActivities, type ScriptActivities } from './script-activities.js';
export { createServiceActivities, type ServiceActivities } from './service-activities.js';
