import type { z } from 'zod';
import type { Inspection } from '../../contract/inspection.js';
import type { scriptDocShape } from '../schemas/scripts.js';
import { parseScriptDoc } from '../script-doc.js';

/** What a script says of itself, as clients see it. */
export function presentDoc(found: Extract<Inspection, { ok: true }>): z.infer<z.ZodObject<typeof scriptDocShape>> {
  const { summary, input, output, params, paramsNote } = parseScriptDoc(found.doc ?? '');
  return {
    summary,
    input,
    output,
    settings: { ...found.settings },
    params: params.map((param) => ({ ...param, choices: param.choices === null ? null : [...param.choices] })),
    params_note: paramsNote,
  };
}
