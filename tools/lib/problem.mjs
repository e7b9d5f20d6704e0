// @ts-check
/** Something the user can put right: shown as a sentence, without a stack. */
export class Problem extends Error {
  /** @override */
  name = 'Problem';
}
