/** What a doc comment says, without its stars; tags stay, since they are for people, too. */
function plain(comment: string): string {
  return comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** The documentation of the default export; else that of the file: its first doc comment. */
export function docOf(source: string): string | null {
  const comments = [...source.matchAll(/\/\*\*(?:[^*]|\*(?!\/))*\*\//g)];
  const exported = /export\s+default\s+(?:(?:async\s+)?function\b\s*\*?\s*)?([A-Za-z_$][\w$]*)?/.exec(source);
  if (exported !== null) {
    const places = [exported.index];
    const name = exported[1];
    // `const main = …; export default main`: the comment stands where the name is declared.
    const declared =
      name && new RegExp(`(?:async\\s+)?(?:function|const|let)\\s+${name.replace('$', '\\$')}\\b`).exec(source);
    if (declared) places.push(declared.index);
    for (const place of places) {
      const before = comments.findLast((comment) => comment.index + comment[0].length <= place);
      if (before !== undefined && /^\s*$/.test(source.slice(before.index + before[0].length, place)))
        return plain(before[0]) || null;
    }
  }
  const [first] = comments;
  if (
    first === undefined ||
    source
      .slice(0, first.index)
      .replace(/^#!.*\n/, '')
      .trim() !== ''
  )
    return null;
  return plain(first[0]) || null;
}
