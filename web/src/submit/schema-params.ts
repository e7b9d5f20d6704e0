import type { Param } from './entry-facts.js';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
}

/** The fields of a form for a JSON Schema: one for each property; what is nested is written as JSON. */
export function schemaParams(schema: unknown): Param[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Schema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: typeOf(property),
    default: (property.default ?? null) as Param['default'],
    required: required.includes(name) && property.default === undefined,
    description: property.description ?? '',
    choices: (property.enum ?? null) as Param['choices'],
  }));
}

function typeOf({ type }: Schema): Param['type'] {
  switch (type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'object':
    case 'array':
      return type;
    default:
      return 'any';
  }
}
