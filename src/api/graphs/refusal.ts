import type { Problems } from '../../compile/problems.js';

/** A graph that is refused as a whole, with everything that is wrong with it. */
export class GraphRefusal extends Error {
  readonly problems: Problems;

  constructor(problems: Problems) {
    super(sentence(problems));
    this.name = 'GraphRefusal';
    this.problems = problems;
  }
}

function sentence({ list, count }: Problems): string {
  const [first] = list;
  const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const more = count > 1 ? `, first of all ${place}` : `: ${place}`;
  return `the graph has ${count === 1 ? '1 problem' : `${count} problems`}${more}${first?.message ?? ''}`;
}
