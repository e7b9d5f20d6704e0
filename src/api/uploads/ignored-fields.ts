import { jobConfigSchema } from '../../compile/job-config.js';
import { formFields } from './receive-form.js';

/** A refusal lists so many names; who sends more knows what they are. */
const maxShown = 6;
const maxNameLength = 60;

/** What people call the fields when they guess, in lower case. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['data', 'file'],
  ['input', 'file'],
  ['input_file', 'file'],
  ['model', 'file'],
  ['upload', 'file'],
  ['code', 'script'],
  ['script_file', 'script'],
  ['param', 'params'],
  ['parameters', 'params'],
  ['kwargs', 'params'],
  ['process_name', 'process'],
  ['alias', 'name'],
  ['label', 'name'],
  ['options', 'config'],
  ['settings', 'config'],
]);

/**
 * Unknown fields of a form are ignored. Where something that is needed is missing, one of them is the likely reason:
 * the end of the refusal that names them and the place where they belong. Empty when there are none.
 */
export function toldOfIgnored(names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, maxShown).map(shownName);
  const more = names.length > maxShown ? ' and others' : '';
  return `; unknown fields are ignored, here ${shown.join(', ')}${more}`;
}

function shownName(name: string): string {
  const place = placeOf(name);
  return `${JSON.stringify(name.slice(0, maxNameLength))}${place === null ? '' : ` (${place})`}`;
}

function placeOf(name: string): string | null {
  const lower = name.trim().toLowerCase();
  const field = formFields.find((known) => known === lower) ?? otherNames.get(lower);
  if (field !== undefined) return `the field is called "${field}"`;
  return Object.hasOwn(jobConfigSchema.shape, lower) ? `belongs into "config": {"${lower}": …}` : null;
}
