import type { JsonObject } from '../../broker/json.ts';
import type { OperatorRoute } from './route.ts';
import { errorAnswer } from './wire/broker.ts';
import type { Shape } from './wire/shape.ts';

/** Of the API: the first number changes when something is taken away. */
const apiVersion = '1.0';

/** The OpenAPI document of these routes; each is named by the words of its command. */
export function openApiDocument(routes: Readonly<Record<string, OperatorRoute>>): JsonObject {
  const schemas: Record<string, JsonObject> = {};

  function within(shape: Shape<unknown>): JsonObject {
    const { name } = shape;
    if (name === undefined) return shape.write(within);
    schemas[name] ??= shape.write(within);
    return { $ref: `#/components/schemas/${name}` };
  }
  const asJson = (shape: Shape<unknown>) => ({ content: { 'application/json': { schema: within(shape) } } });

  function operationOf(
    words: string,
    { path, summary, query = {}, body, answers }: OperatorRoute,
  ): JsonObject {
    const parameters = [
      ...variablesOf(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(query).map(([name, shape]) => ({ name, in: 'query', schema: within(shape) })),
    ];
    const succeeded = Object.entries(answers).map(([status, shape]) => [
      status,
      { description: status === '202' ? 'It is begun.' : 'It is done.', ...asJson(shape) },
    ]);
    return {
      operationId: operationIdOf(words),
      summary,
      parameters,
      ...(body && { requestBody: asJson(body) }),
      responses: {
        ...(Object.fromEntries(succeeded) as JsonObject),
        default: { description: 'It was refused, or has failed.', ...asJson(errorAnswer) },
      },
    };
  }

  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [words, route] of Object.entries(routes)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(words, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Operator API of Purveyor',
      version: apiVersion,
      description:
        'For those who run brokers and nodes. Operations have the names of the commands that ask them: `nodesDrain` is `purveyor nodes drain`.',
    },
    security: [{ operator: [] }],
    paths,
    components: { schemas, securitySchemes: { operator: { type: 'http', scheme: 'basic' } } },
  };
}

/** `nodes drain` is `nodesDrain`: as generators of clients want it. */
export function operationIdOf(words: string): string {
  return words.replaceAll(/ (\w)/g, (_all, letter: string) => letter.toUpperCase());
}

function variablesOf(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}
