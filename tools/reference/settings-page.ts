import { cell, row } from './json-schema.js';

/** `docs/reference/configuration.md`: every setting, from the schema and from the sample file that groups them. */

const head = `# Configuration reference

Every setting with its default, from the schema that the program reads them with: made by \`npm run reference\`, not by hand. Where settings come from and which
one wins stands in [operations](../operations.md#settings). \`pixyz-scheduler.conf.example\`
is the same as a file to copy.`;

export interface Setting {
  readonly name: string;
  /** As it is written in the file; null where there is none. */
  readonly fallback: string | null;
  readonly text: string;
}

export function settingsPage(
  settings: readonly Setting[],
  sample: string,
  unused: readonly string[],
  foreign: readonly string[],
): string {
  const groups = groupsOf(sample).flatMap(({ title, names }) => {
    const own = settings.filter(({ name }) => names.includes(name));
    if (own.length === 0) return [];
    const rows = own.map(({ name, fallback, text }) =>
      row([`\`${name}\``, fallback === null ? '–' : `\`${cell(fallback)}\``, cell(text)]),
    );
    return [`## ${title}`, ['| Name | Default | What |', '| --- | --- | --- |', ...rows].join('\n')];
  });
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
  return `${[
    head,
    ...groups,
    '## Accepted and not used',
    `Names of the Celery-based scheduler without a meaning here. They are read, said to be unused at the start, and change nothing: ${list(unused)}.`,
    '## Read by others',
    `Names that other parts of a deployment (containers, images) read from the same file, and the program does not: ${list(foreign)}.`,
  ].join('\n\n')}\n`;
}

/** `# ---- Title ----` in the sample file, and the names below it. */
function groupsOf(sample: string): { readonly title: string; readonly names: string[] }[] {
  const groups: { title: string; names: string[] }[] = [];
  for (const line of sample.split('\n')) {
    const [, title] = /^# -+ (.+?) -+$/.exec(line) ?? [];
    if (title !== undefined) groups.push({ title, names: [] });
    const [, name] = /^#?([A-Z][A-Z0-9_]*)=/.exec(line) ?? [];
    if (name !== undefined) groups.at(-1)?.names.push(name);
  }
  return groups;
}
