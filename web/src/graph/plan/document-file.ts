/** What was dropped or chosen: the document, and the files that its nodes name. */
export interface DroppedFiles {
  readonly document: File | null;
  readonly files: readonly File[];
}

/** Of several the JSON file with nodes is the document; a single JSON file is it in any case. */
export async function sorted(dropped: readonly File[]): Promise<DroppedFiles> {
  const json = dropped.filter(({ name }) => /\.json$/i.test(name));
  let document = json.length === 1 ? (json[0] as File) : null;
  for (const file of json) {
    if (document !== null) break;
    if (/"nodes"\s*:/.test(await file.text())) document = file;
  }
  return { document, files: dropped.filter((file) => file !== document) };
}

/** A node says `resize` for `resize.py`, as for files beside the document on the command line. */
export function partName(name: string, document: string): string {
  return document.includes(JSON.stringify(name)) ? name : name.replace(/\.[^.]+$/, '');
}

/** The document as its text, which keeps the digits of its numbers. */
export function formOf(document: string, files: readonly File[]): FormData {
  const form = new FormData();
  form.set('graph', new Blob([document], { type: 'application/json' }), 'graph.json');
  for (const file of files) form.set(partName(file.name, document), file, file.name);
  return form;
}
