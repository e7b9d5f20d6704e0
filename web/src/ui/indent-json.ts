/** JSON text with line breaks: not parsed and written again, which would round large numbers. */
export function indented(text: string): string {
  let depth = 0;
  // Pieces, and not one text that grows: to look at the end of that copies all of it, each time.
  const pieces: string[] = [];
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '}' || token === ']') {
      depth -= 1;
      if (last !== '{' && last !== '[') pieces.push(breakTo(depth));
    } else if (token !== ',' && token !== ':') {
      if (last === '{' || last === '[' || last === ',') pieces.push(breakTo(depth));
      if (token === '{' || token === '[') depth += 1;
    }
    pieces.push(token === ':' ? ': ' : token);
    last = token;
  }
  return pieces.join('');
}

function breakTo(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}
