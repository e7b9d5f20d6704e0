import type { Json } from '../contract/json.js';
import { EngineError } from '../errors/engine-error.js';

/** Python refuses about a thousand; a text of brackets alone would overflow the stack of whoever walks the value. */
const maxDepth = 200;

/** JSON of a form field. @throws EngineError BAD_REQUEST that names the field */
export function parseJson(field: string, text: string): Json {
  if (depthOf(text) > maxDepth) {
    throw new EngineError('BAD_REQUEST', `"${field}" is nested deeper than ${maxDepth} levels`);
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new EngineError('BAD_REQUEST', `"${field}" is not JSON: ${(error as Error).message}`);
  }
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') {
      inString = true;
    } else if (char === '{' || char === '[') {
      deepest = Math.max(deepest, ++depth);
    } else if (char === '}' || char === ']') {
      depth--;
    }
  }
  return deepest;
}
