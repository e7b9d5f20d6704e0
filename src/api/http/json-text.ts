import { randomUUID } from 'node:crypto';

/**
 * JSON that was written elsewhere and is passed on as it is: once parsed, an integer above 2^53 has other digits, 1.0 is 1,
 * and keys that are numbers stand first.
 */
export class JsonText {
  readonly text: string;
  readonly mark = randomUUID();

  /** @param text JSON on one line */
  constructor(text: string) {
    this.text = text;
  }

  /** Called by `JSON.stringify`: stands in the text until {@link stringifyJson} puts the other one there. */
  toJSON(): string {
    met.push(this);
    return this.mark;
  }
}

/** Of the call of `JSON.stringify` that is under way; it is never interrupted. */
let met: JsonText[] = [];

/** As `JSON.stringify`, for values that hold {@link JsonText}. */
export function stringifyJson(value: unknown): string {
  met = [];
  let text = JSON.stringify(value);
  // A function: "$" in a text given as such would have a meaning.
  for (const { mark, text: own } of met) text = text.replace(`"${mark}"`, () => own);
  met = [];
  return text;
}
