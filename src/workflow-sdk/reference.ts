/**
 * Something of a task that is known only once the task has ended. It may stand anywhere in the parameters, the command or the
 * environment of another task, alone or inside a text, and it becomes the value on the worker, when that task starts: large
 * values never pass through the workflow. The other task waits for the task it speaks of.
 */
export class Reference {
  /** The expression that it stands for, as in `when` and `map` ([CEL](https://cel.dev)). */
  readonly expression: string;

  /** Made by {@link Task.value}, {@link Task.folder} and the like. */
  constructor(expression: string) {
    this.expression = expression;
  }

  /** A template, so that it can stand inside a text. */
  toString(): string {
    return `\${{ ${this.expression} }}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A file that a task writes to its outputs: the input (`data`) of another task, or its path in parameters and commands. */
export class OutputReference extends Reference {
  /** Id of the task. */
  readonly node: string;
  /** Path below its outputs. */
  readonly output: string;

  /** Made by {@link Task.output}. */
  constructor(node: string, output: string) {
    super(`${ofTask(node)}.folder + ${literal(`/${output}`)}`);
    this.node = node;
    this.output = output;
  }
}

/** The expression for a task by its id. */
export function ofTask(id: string): string {
  return `nodes[${literal(id)}]`;
}

/** A text in an expression. CEL takes the escapes of JSON. */
function literal(text: string): string {
  return JSON.stringify(text);
}
