/**
 * Splits a command as a POSIX shell would, but expands nothing: blanks part words, quotes and backslashes keep them together.
 * Inside `${{ … }}` nothing is special: blanks and quotes there belong to the expression.
 * @returns null when a quote or an expression is not closed
 */
export function splitCommand(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] as string;
    if (line.startsWith('${{', at)) {
      const end = line.indexOf('}}', at);
      if (end < 0) return null;
      word = (word ?? '') + line.slice(at, end + 2);
      at = end + 1;
    } else if (char === quote) {
      quote = null;
    } else if (char === '\\' && quote !== "'" && (quote === null || /["\\$`]/.test(line[at + 1] ?? ''))) {
      at += 1;
      if (at >= line.length) return null;
      word = (word ?? '') + line[at];
    } else if (quote !== null) {
      word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words;
}
