import { beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../support/openapi.js';

// Rules of OpenAPI that generated clients and "try it out" rely on. No validator is among the dependencies.

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: unknown;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly unknown[];
  readonly requestBody?: {
    readonly content: Record<string, { schema: { properties: Record<string, { examples?: string[] }> } }>;
  };
  readonly responses: Record<string, { readonly description?: string; readonly content?: Record<string, unknown> }>;
}

let operations: { readonly name: string; readonly path: string; readonly operation: Operation }[];
let document: { readonly openapi: string; readonly paths: Record<string, Record<string, Operation>> };

beforeAll(async () => {
  document = await openApiDocument();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );
});

describe('the OpenAPI document', () => {
  it('has for each name in a path one required parameter, and no other path parameters', () => {
    for (const { name, path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, inner]) => inner);
      expect(new Set(inPath.map((parameter) => parameter.name)), name).toEqual(new Set(names));
      for (const parameter of inPath)
        expect(parameter, name).toMatchObject({ required: true, schema: { type: 'string' } });
    }
  });

  it('calls the path of an output file_path, and says that it may contain a slash', () => {
    const operation = document.paths['/jobs/{job_uuid}/outputs/{file_path}']?.['get'];
    expect(operation?.parameters?.find(({ name }) => name === 'file_path')).toMatchObject({
      in: 'path',
      required: true,
      description: expect.stringContaining('`/`'),
    });
  });

  it('has an example of params with a key that a shipped process reads', () => {
    const form = document.paths['/jobs']?.['post']?.requestBody?.content['multipart/form-data']?.schema.properties;
    expect(form?.['params']?.examples).toEqual(['{"extension": "glb"}']);
  });

  it('lists 429 for every call that needs the token, and for no other', () => {
    for (const { name, operation } of operations) {
      const needsToken = operation.security !== undefined || name.endsWith('/ui/login');
      expect(operation.responses['429'] !== undefined, name).toBe(needsToken);
      expect(operation.responses['401'] !== undefined, name).toBe(needsToken);
    }
  });

  it('describes every answer, and names each parameter of a call once', () => {
    for (const { name, operation } of operations) {
      const parameters = (operation.parameters ?? []).map((parameter) => `${parameter.in} ${parameter.name}`);
      expect(new Set(parameters).size, name).toBe(parameters.length);
      for (const parameter of operation.parameters ?? []) expect(parameter.schema, name).toBeDefined();
      expect(Object.keys(operation.responses).length, name).toBeGreaterThan(0);
      for (const [status, answer] of Object.entries(operation.responses)) {
        expect(answer.description, `${name} ${status}`).toMatch(/\w/);
      }
    }
  });
});
