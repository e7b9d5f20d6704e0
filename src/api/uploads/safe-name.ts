/** Longest file name kept, in bytes of UTF-8: file systems stop at 255, and temporary names are built from it. */
const maxBytes = 200;

/** Names that Windows reserves, with any extension: a worker there could not open the file. */
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$/i;

/**
 * The name an uploaded file gets in the job's folder: the base name the client sent, without what would leave the
 * folder, break a log line, or be impossible on one of the systems that mount the share. The extension is kept, since
 * readers of 3D files go by it.
 */
export function safeName(sent: string, fallback: string): string {
  // Names of many kilobytes fit into a part's header: the end is enough to work on, and keeps the patterns quick.
  const base = lastCharacters(sent.normalize('NFC').split(/[/\\]/).at(-1) ?? '', 500);
  const clean = base
    .replace(/[\p{Control}\p{Bidi_Control}]/gu, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^\s+|[\s.]+$/g, '');
  if (clean === '' || /^\.+$/.test(clean)) return fallback;
  return shortened(reserved.test(clean) ? `_${clean}` : clean);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= 20 ? name.slice(dot) : '';
  let stem = '';
  let room = maxBytes - Buffer.byteLength(extension);
  // By code points: half of one would not be text any more.
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    stem += character;
  }
  // The cut may have left a space or a dot at the end, which some systems drop.
  return `${stem}${extension}`.replace(/[\s.]+$/, '');
}

function lastCharacters(text: string, count: number): string {
  return text.length <= count ? text : Array.from(text).slice(-count).join('');
}

/** Where the two uploads of a job lie below its inputs: beside each other, or apart when they have the same name. */
export function placeNames(data: string | null, script: string | null): { data: string | null; script: string | null } {
  if (data === null || script === null || !sameName(data, script)) return { data, script };
  const folder = sameName(data, 'script') ? 'script_' : 'script';
  return { data, script: `${folder}/${script}` };
}

/** Some shares do not tell upper case from lower case. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
