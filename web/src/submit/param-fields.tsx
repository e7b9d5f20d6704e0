import type { Param } from './entry-facts.js';
import type { Typed } from './params-text.js';

/** A field for each parameter that the docstring tells. */
export function ParamFields({
  prefix = 'param',
  params,
  typed,
  problems,
  onChange,
}: {
  /** Of the ids of the fields. */
  prefix?: string;
  params: readonly Param[];
  typed: Typed;
  problems: Readonly<Record<string, string>>;
  onChange: (name: string, value: string) => void;
}) {
  return (
    <div class="fields">
      {params.map((param) => {
        const id = `${prefix}-${param.name}`;
        const problem = problems[param.name];
        return (
          <div class="field" key={param.name}>
            <label for={id}>
              <span class="mono">{param.name}</span>
              <span class="faint"> {param.choices === null ? param.type : 'one of these'}</span>
              {param.required && <span class="faint">, needed</span>}
            </label>
            <Entry
              id={id}
              param={param}
              value={typed[param.name] ?? ''}
              invalid={problem !== undefined}
              onChange={(value) => onChange(param.name, value)}
            />
            <p id={`${id}-problem`} class="problem">
              {problem === undefined ? '' : `${param.name} ${problem}`}
            </p>
            <p id={`${id}-help`} class="help">
              {param.description}
            </p>
          </div>
        );
      })}
    </div>
  );
}

function Entry({
  id,
  param,
  value,
  invalid,
  onChange,
}: {
  id: string;
  param: Param;
  value: string;
  invalid: boolean;
  onChange: (value: string) => void;
}) {
  const common = {
    id,
    value,
    'aria-describedby': `${id}-help ${id}-problem`,
    'aria-invalid': invalid,
    required: param.required,
    onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  const fallback = param.default === null || param.default === undefined ? '' : JSON.stringify(param.default);
  const choices =
    param.choices?.map((choice) => JSON.stringify(choice)) ?? (param.type === 'boolean' ? ['true', 'false'] : null);
  if (choices !== null) {
    return (
      <select {...common}>
        <option value="">{fallback === '' ? 'not given' : `default: ${fallback}`}</option>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice.replace(/^"(.*)"$/, '$1')}
          </option>
        ))}
      </select>
    );
  }
  if (param.type === 'object' || param.type === 'array' || param.type === 'any') {
    return <textarea {...common} rows={2} placeholder={fallback} spellcheck={false} />;
  }
  const isNumber = param.type === 'integer' || param.type === 'number';
  return (
    <input
      {...common}
      type="text"
      inputMode={isNumber ? 'decimal' : 'text'}
      placeholder={typeof param.default === 'string' ? param.default : fallback}
      autocomplete="off"
    />
  );
}
