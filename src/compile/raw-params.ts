export interface RawParams {
  readonly graph: string | undefined;
  /** By position in `nodes`; undefined where a node has none. */
  readonly nodes: readonly (string | undefined)[];
}

/**
 * The `params` of the graph and of each node as they stand in the request: JavaScript would round large integers and turn
 * 1.0 into 1, and the script is to get them digit by digit.
 *
 * @param text JSON that has been parsed before: what is broken is found by the parser, not here
 */
export function rawParams(text: string): RawParams {
  let graph: string | undefined;
  let found: (string | undefined)[] = [];
  const scan = new Scanner(text);
  if (scan.peek() !== '{') return { graph, nodes: found };
  scan.entries((key) => {
    if (key === 'params') {
      graph = scan.slice();
      return undefined;
    }
    if (key !== 'nodes' || scan.peek() !== '[') return scan.skip();
    // Of a repeated key the last one counts, as for the parser.
    found = [];
    scan.items(() => {
      let raw: string | undefined;
      if (scan.peek() === '{') {
        scan.entries((name) => {
          const value = scan.slice();
          if (name === 'params') raw = value;
        });
      } else {
        scan.skip();
      }
      found.push(raw);
    });
    return undefined;
  });
  return { graph, nodes: found };
}

/** Walks through valid JSON without recursion: nesting is only counted. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string | undefined {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
    return this.#text[this.#at];
  }

  /** Calls `each` with every key of the object here; `each` has to pass over its value. */
  entries(each: (key: string) => void): void {
    this.#at += 1;
    while (this.peek() === '"') {
      const key = JSON.parse(this.slice()) as string;
      this.peek();
      this.#at += 1; // the colon
      each(key);
      if (this.peek() === ',') this.#at += 1;
    }
    this.#at += 1;
  }

  items(each: () => void): void {
    this.#at += 1;
    while (this.peek() !== ']' && this.#at < this.#text.length) {
      each();
      if (this.peek() === ',') this.#at += 1;
    }
    this.#at += 1;
  }

  slice(): string {
    this.peek();
    const start = this.#at;
    this.skip();
    return this.#text.slice(start, this.#at);
  }

  /** Passes over one value. */
  skip(): void {
    this.peek();
    const text = this.#text;
    let depth = 0;
    do {
      const char = text[this.#at];
      if (char === '"') this.#string();
      else if (char === '{' || char === '[') {
        depth += 1;
        this.#at += 1;
      } else if (char === '}' || char === ']') {
        depth -= 1;
        this.#at += 1;
      } else if (depth > 0) this.#at += 1;
      else this.#plain();
    } while (depth > 0 && this.#at < text.length);
  }

  #string(): void {
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
  }

  /** A number, true, false or null. */
  #plain(): void {
    while (this.#at < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#at] as string)) this.#at += 1;
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
