import type { JobDetails } from '../../../src/client/types.js';
import { placeOf } from '../ui/json-place.js';

/** Details of a job, with the text of its result: numbers of a script may have more digits than those of a browser. */
export interface Details extends JobDetails {
  readonly resultText: string;
}

/** @param text what the API has sent */
export function detailsOf(text: string): Details {
  const place = placeOf(text, 'result');
  const resultText = place === null ? 'null' : text.slice(place.start, place.end);
  return { ...(JSON.parse(text) as JobDetails), resultText };
}
