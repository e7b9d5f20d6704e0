/**
 * A pattern for paths: `*` and `?` within a name, `**` over folders, `{a,b}` one of several. Upper and lower case are the same:
 * CAD systems write `.STEP` and `.step`.
 */
export function globPattern(pattern: string): RegExp {
  let text = '';
  let depth = 0;
  for (const [piece] of pattern.matchAll(/\*\*\/|\*\*|[\s\S]/g)) {
    if (piece === '**/') text += '(?:[^/]+/)*';
    else if (piece === '**') text += '.*';
    else if (piece === '*') text += '[^/]*';
    else if (piece === '?') text += '[^/]';
    else if (piece === '{') {
      depth += 1;
      text += '(?:';
    } else if (piece === '}' && depth > 0) {
      depth -= 1;
      text += ')';
    } else if (piece === ',' && depth > 0) text += '|';
    else text += piece.replace(/[.+^$()|[\]\\{}]/, '\\$&');
  }
  return new RegExp(`^${text}${')'.repeat(depth)}$`, 'i');
}
