/** What the language of templates says of a text, without filling it in. */
export interface TemplateCheck {
  /** Sentences; empty when it is right. */
  readonly problems: readonly string[];
  /** Ids of the nodes that it speaks of, each once. */
  readonly nodes: readonly string[];
}

export interface TemplateScope {
  /** `item` and `index` may be used: the text belongs to a node with `map`. */
  readonly item: boolean;
}

export interface TemplateRules {
  /** A bare expression, as in `when`. */
  expression(text: string, scope: TemplateScope): TemplateCheck;
  /** A text with `${{ expression }}` in it. */
  text(text: string, scope: TemplateScope): TemplateCheck;
}
