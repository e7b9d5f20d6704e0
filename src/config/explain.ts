import { useValidationWords } from '../errors/validation-words.js';
import { foreignNames, settingsSchema, unusedNames } from './schema.js';

/** What becomes of one line of a file of settings. */
export interface Fate {
  readonly name: string;
  /** Null for what must not be shown. */
  readonly value: string | null;
  /** `empty` counts as not set; `elsewhere` is read by containers and images, and not by the program. */
  readonly fate: 'used' | 'empty' | 'unused' | 'elsewhere' | 'unknown' | 'wrong';
  readonly detail: string;
}

/** What may hold a password: also in names of others, such as the address of a broker. */
const secret = /PASSWORD|SECRET|TOKEN|BROKER_URL|RESULT_BACKEND|BASIC_AUTH/;

const isOneOf = (names: readonly string[], name: string) => names.includes(name);

/** Explains a file of settings name by name, an older one of the Celery-based scheduler too. */
export function explainSettings(values: Readonly<Record<string, string>>): Fate[] {
  useValidationWords();
  return Object.entries(values).map(([name, value]) => {
    const shown = secret.test(name) ? null : value;
    if (isOneOf(unusedNames, name)) return { name, value: shown, fate: 'unused', detail: reasonOf(name) };
    if (isOneOf(foreignNames, name))
      return { name, value: shown, fate: 'elsewhere', detail: 'for containers and images, not for the program' };
    const schema = settingsSchema.shape[name as keyof typeof settingsSchema.shape];
    if (schema === undefined) return { name, value: shown, fate: 'unknown', detail: 'no part of this system reads it' };
    if (value.trim() === '') return { name, value: '', fate: 'empty', detail: 'not set: the default counts' };
    const parsed = schema.safeParse(value);
    return parsed.success
      ? { name, value: shown, fate: 'used', detail: schema.description ?? '' }
      : { name, value: shown, fate: 'wrong', detail: parsed.error.issues[0]?.message ?? 'cannot be used' };
  });
}

export function reasonOf(name: string): string {
  return name.startsWith('POOL')
    ? 'every script runs in a process of its own'
    : 'this scheduler needs no Redis and no Celery';
}
