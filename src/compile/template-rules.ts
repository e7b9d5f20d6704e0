import { ExpressionError, type References, referencesOf } from '../store/expressions.js';
import { checkTemplate } from '../store/templates.js';

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

export const templateRules: TemplateRules = {
  expression(text, scope) {
    try {
      return answer([], referencesOf(text), scope);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return { problems: [error.message], nodes: [] };
    }
  },

  text(text, scope) {
    const { problems, references } = checkTemplate(JSON.stringify(text));
    return answer(
      problems.map(({ message }) => message),
      references,
      scope,
    );
  },
};

function answer(problems: readonly string[], { nodes, item }: References, scope: TemplateScope): TemplateCheck {
  const misplaced =
    item && !scope.item ? ['"item" and "index" have a meaning only for the jobs of a node with "map"'] : [];
  return { problems: [...problems, ...misplaced], nodes: [...nodes.keys()] };
}
