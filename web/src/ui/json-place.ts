/** Where in a JSON text the value of a path stands, such as `nodes[3].deps[0]`, to show people the place of a problem. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** The place of the innermost value of the path that is there; null when the text is no JSON so far. */
export function placeOf(text: string, path: string): Place | null {
  const steps = stepsOf(path);
  try {
    return new Scanner(text).find(steps);
  } catch {
    return null;
  }
}

/** Why a text is no JSON, and where, as far as the browser tells; null: it is. */
export function brokenAt(text: string): { readonly message: string; readonly at: number | null } | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const { message } = error as SyntaxError;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    if (position !== undefined) return { message, at: Number(position) };
    // What ends too early is broken at its end.
    return { message, at: /end of/i.test(message) ? Math.max(0, text.trimEnd().length - 1) : null };
  }
}

/** `a.b[0]["c d"]` as its steps. */
function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name as string) : (JSON.parse(`"${quoted}"`) as string);
  });
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(steps: readonly (string | number)[]): Place {
    this.#blank();
    const start = this.#at;
    const [step, ...rest] = steps;
    const opening = this.#text[this.#at];
    if (step !== undefined && (opening === '{' || opening === '[')) {
      const inner = this.#child(step, rest);
      if (inner !== null) return inner;
    }
    this.#at = start;
    this.#skip();
    return { start, end: this.#at };
  }

  /** Of the object or list that begins here; null: it has no such part. */
  #child(wanted: string | number, rest: readonly (string | number)[]): Place | null {
    const isObject = this.#text[this.#at] === '{';
    this.#at += 1;
    for (let index = 0; ; index++) {
      this.#blank();
      if (this.#text[this.#at] === '}' || this.#text[this.#at] === ']') return null;
      let key: string | number = index;
      if (isObject) {
        key = this.#string();
        this.#blank();
        this.#expect(':');
      }
      if (key === wanted) return this.find(rest);
      this.#blank();
      this.#skip();
      this.#blank();
      if (this.#text[this.#at] === ',') this.#at += 1;
    }
  }

  /** Over a value. */
  #skip(): void {
    const first = this.#text[this.#at];
    if (first === '"') {
      this.#string();
    } else if (first === '{' || first === '[') {
      let depth = 0;
      do {
        const sign = this.#text[this.#at];
        if (sign === undefined) throw new SyntaxError('it ends too early');
        if (sign === '"') {
          this.#string();
          continue;
        }
        if (sign === '{' || sign === '[') depth += 1;
        if (sign === '}' || sign === ']') depth -= 1;
        this.#at += 1;
      } while (depth > 0);
    } else {
      const [word = ''] = /^[^\s,\]}]+/.exec(this.#text.slice(this.#at, this.#at + 400)) ?? [];
      if (word === '') throw new SyntaxError('a value is missing');
      this.#at += word.length;
    }
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw new SyntaxError('a text is missing');
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      if (this.#at >= this.#text.length) throw new SyntaxError('it ends too early');
      if (this.#text[this.#at] === '\\') this.#at += 1;
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #blank(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #expect(sign: string): void {
    if (this.#text[this.#at] !== sign) throw new SyntaxError(`${sign} is missing`);
    this.#at += 1;
  }
}
