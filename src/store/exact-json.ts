/**
 * JSON without loss: integers are read as `bigint`, however large, all other numbers as `number`, so that 1 stays 1 and 1.0 stays
 * 1.0 when the text is written again. Python, on both ends of the way, tells them apart. Objects have no prototype: a key
 * like `__proto__` is a key. NaN and the infinities, which Python writes, are read and written.
 */
export type Exact = string | number | bigint | boolean | null | readonly Exact[] | { readonly [key: string]: Exact };

const deepest = 500;

/** @throws SyntaxError with the place */
export function parseExact(text: string): Exact {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Exact {
    if (depth > deepest) throw this.#error('it is nested too deeply');
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('more follows after its end');
  }

  #object(depth: number): Exact {
    const found: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return found;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error('a key in quotes is expected');
      const key = this.#string();
      this.#space();
      if (!this.#take(':')) throw this.#error('":" is expected');
      found[key] = this.value(depth + 1);
      this.#space();
      if (this.#take('}')) return found;
      if (!this.#take(',')) throw this.#error('"," or "}" is expected');
    }
  }

  #list(depth: number): Exact {
    const found: Exact[] = [];
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return found;
    for (;;) {
      found.push(this.value(depth + 1));
      this.#space();
      if (this.#take(']')) return found;
      if (!this.#take(',')) throw this.#error('"," or "]" is expected');
    }
  }

  #string(): string {
    const begin = this.#at;
    for (let at = begin + 1; at < this.#text.length; at += 1) {
      const char = this.#text[at];
      if (char === '\\') at += 1;
      else if (char === '"') {
        this.#at = at + 1;
        try {
          return JSON.parse(this.#text.slice(begin, at + 1)) as string;
        } catch {
          this.#at = begin;
          throw this.#error('a string is not written as JSON wants it');
        }
      }
    }
    throw this.#error('a string has no end');
  }

  #word(): Exact {
    const word = wordAt(this.#text, this.#at);
    this.#at += word.length;
    switch (word) {
      case 'true':
        return true;
      case 'false':
        return false;
      case 'null':
        return null;
      case 'NaN':
        return Number.NaN;
      case 'Infinity':
        return Number.POSITIVE_INFINITY;
      case '-Infinity':
        return Number.NEGATIVE_INFINITY;
      default:
        if (/^-?(0|[1-9]\d*)$/.test(word)) return word === '-0' ? -0 : BigInt(word);
        if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return Number(word);
        this.#at -= word.length;
        throw this.#error(word === '' ? 'a value is expected' : `"${word.slice(0, 20)}" is no value`);
    }
  }

  #space(): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text[this.#at] as string)) this.#at += 1;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`not JSON at character ${this.#at + 1}: ${what}`);
  }
}

const wordPattern = /[-+.\w]*/y;

function wordAt(text: string, at: number): string {
  wordPattern.lastIndex = at;
  return wordPattern.exec(text)?.[0] ?? '';
}

/** JSON text of a value. What has no JSON form was left out before: see `valueOf` in `expressions.ts`. */
export function stringifyExact(value: Exact): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      if (!Number.isInteger(value)) return String(value);
      // As Python writes it: a whole number of this type is a float.
      return Object.is(value, -0) ? '-0.0' : Math.abs(value) < 1e16 ? `${value}.0` : exponent(value);
    default: {
      if (value === null) return 'null';
      if (isList(value)) return `[${value.map(stringifyExact).join(',')}]`;
      const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${stringifyExact(item)}`);
      return `{${entries.join(',')}}`;
    }
  }
}

/** `1e+16`, never `10000000000000000`: an integer to every reader. */
function exponent(value: number): string {
  const text = String(value);
  return text.includes('e') ? text : value.toExponential();
}

export function isList(value: Exact): value is readonly Exact[] {
  return Array.isArray(value);
}
