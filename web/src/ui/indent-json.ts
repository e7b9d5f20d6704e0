/** JSON text with line breaks: not parsed and written again, which would round large numbers. */
export function indented(text: string): string {
  let depth = 0;
  let result = '';
  for (const token of text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []) {
    const last = result.at(-1);
    if (token === '}' || token === ']') {
      depth -= 1;
      result += last === '{' || last === '[' ? token : `${breakTo(depth)}${token}`;
    } else if (token === ',') result += token;
    else if (token === ':') result += ': ';
    else {
      if (last === '{' || last === '[' || last === ',') result += breakTo(depth);
      result += token;
      if (token === '{' || token === '[') depth += 1;
    }
  }
  return result;
}

function breakTo(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}
