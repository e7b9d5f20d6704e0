import type { Param } from './entry-facts.js';
import { paramsText, type Typed } from './params-text.js';

/** How a job is to be run, as typed. */
export interface Settings {
  readonly name: string;
  readonly queue: string;
  readonly timeLimit: string;
  readonly retries: string;
  readonly priority: string;
  readonly countdown: string;
  readonly rootFile: string;
  readonly computeOnly: boolean;
}

export const noSettings: Settings = {
  name: '',
  queue: '',
  timeLimit: '',
  retries: '',
  priority: '',
  countdown: '',
  rootFile: '',
  computeOnly: false,
};

export interface Entry {
  readonly process: string | null;
  readonly script: File | null;
  readonly entrypoint: string;
  readonly file: File | null;
  readonly params: readonly Param[];
  readonly typed: Typed;
  /** Parameters as JSON text, where somebody rather writes those. */
  readonly json: string | null;
  readonly settings: Settings;
}

/** The form for the API, or what has to be put right first, by field. */
export function jobForm(
  entry: Entry,
): { readonly form: FormData } | { readonly problems: Readonly<Record<string, string>> } {
  const { settings } = entry;
  const problems: Record<string, string> = {};
  if (entry.process === null && entry.script === null) problems['script'] = 'Choose the script first.';
  const params = entry.json === null ? paramsText(entry.params, entry.typed) : jsonText(entry.json);
  Object.assign(problems, params.problems);

  const config: Record<string, unknown> = {};
  const number = (key: string, text: string, words: string) => {
    if (text.trim() === '') return;
    const value = Number(text);
    if (Number.isFinite(value)) config[key] = value;
    else problems[key] = `${words} must be a number`;
  };
  if (settings.queue !== '') config['queue'] = settings.queue;
  number('time_limit', settings.timeLimit, 'The time limit');
  number('retries', settings.retries, 'Retries');
  number('priority', settings.priority, 'The priority');
  number('countdown', settings.countdown, 'The countdown');
  if (settings.rootFile !== '') config['root_file'] = settings.rootFile;
  if (settings.computeOnly) config['compute_only'] = true;
  if (entry.process === null && entry.entrypoint !== '' && entry.entrypoint !== 'main') {
    config['entrypoint'] = entry.entrypoint;
  }
  if (Object.keys(problems).length > 0) return { problems };

  const form = new FormData();
  form.set('process', entry.process ?? 'custom');
  if (settings.name !== '') form.set('name', settings.name);
  form.set('params', params.text);
  form.set('config', JSON.stringify(config));
  if (entry.process === null && entry.script !== null) form.set('script', entry.script);
  // Last: what is small has then been read, and checked, before gigabytes come.
  if (entry.file !== null) form.set('file', entry.file);
  return { form };
}

function jsonText(text: string): { readonly text: string; readonly problems: Record<string, string> } {
  try {
    JSON.parse(text.trim() || '{}');
    return { text: text.trim() || '{}', problems: {} };
  } catch (error) {
    return { text, problems: { json: `This is not JSON: ${(error as Error).message}` } };
  }
}
