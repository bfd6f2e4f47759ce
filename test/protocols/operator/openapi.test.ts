import { operatorCommands } from '../../../src/cli/operator/commands.ts';
import { openApiDocument, operationIdOf } from '../../../src/protocols/operator/document.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import type { OperatorRoute } from '../../../src/protocols/operator/route.ts';
import { operatorRoutes } from '../../../src/protocols/operator/routes.ts';
import { schemaOf } from '../../../src/protocols/operator/wire/shape.ts';
import type { Call } from '../../../src/protocols/protocol.ts';
import { coreInMemory, scripted } from '../../broker/core-in-memory.ts';
import { ajvOfDocuments, requireDescribed } from '../../support/described-answers.ts';
import { noOffices } from '../../support/no-offices.ts';

/** One table of routes: what is served, what is described and what the command line says agree, under the same names. */

const { broker } = coreInMemory(scripted({}).provisioner).broker();
const authority = {
  generation: 1,
  signs: true,
  trusted: true,
  notBefore: new Date(0),
  notAfter: new Date(1),
};
const authorities = { list: async () => [authority], renew: async () => authority };
const protocol = operator(broker, broker.overview, {
  offices: { ...noOffices, authorities },
  logins: [],
});
const routes: readonly (readonly [string, OperatorRoute])[] = Object.entries(operatorRoutes);

interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
}
type Paths = Readonly<Record<string, Readonly<Record<string, Described>>>>;

/** As it is served. */
async function served(): Promise<{
  readonly paths: Paths;
  readonly components: { readonly schemas: object };
}> {
  return (await call('/operator/openapi.json', 'GET')).body as Awaited<ReturnType<typeof served>>;
}

async function call(path: string, method: string, query: Readonly<Record<string, string>> = {}) {
  const route = protocol.routes.find((one) => one.path === path && one.method === method);
  if (!route) throw new Error(`There is no route ${method} ${path}.`);
  const params = { instanceId: 'i', node: 'n', bindingId: 'b', generation: '1', run: 'r', receiver: 'r' };
  const asked: Call = {
    method,
    path,
    params,
    query: new URLSearchParams(query),
    headers: {},
    body: { command: ['c'], provisioner: 'p', name: 'n' },
    requestId: 'r',
  };
  return route.handler(asked);
}

test('The OpenAPI document has every route that is served, with the variables of its path, and no other', async () => {
  const { paths } = await served();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters }]) => {
      const variables = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(variables);
      return `${method} ${path}`;
    }),
  );
  const all = protocol.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(described.toSorted()).toEqual(
    all.map((one) => one.replace(/^\w+/, (m) => m.toLowerCase())).toSorted(),
  );
});

/** Commands that are another way to ask what a command of the same list asks. */
const otherWays = ['audit export'];

test('Every operation of the operator API is a command of the same name, and every such command an operation', async () => {
  const { paths } = await served();
  const operations = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  const commands = operatorCommands.map(({ words }) => words).filter((words) => !otherWays.includes(words));
  expect(operations.toSorted()).toEqual(commands.map(operationIdOf).toSorted());
  expect(routes.map(([words]) => words).toSorted()).toEqual(commands.toSorted());
});

test('The OpenAPI document that is served is made of the table of routes, and each of its schemas is one', async () => {
  const document = await served();
  expect(document).toEqual(openApiDocument(operatorRoutes));
  const ajv = ajvOfDocuments();
  ajv.addSchema(document, 'document');
  for (const name of Object.keys(document.components.schemas))
    expect(() => ajv.compile({ $ref: `document#/components/schemas/${name}` })).not.toThrow();
});

test('A parameter of the operator API that is not described is refused by its name, on every route', async () => {
  for (const [, { path, method }] of routes)
    await expect(call(path, method, { spelt_wrong: 'x' })).rejects.toMatchObject({
      code: 'invalid',
      field: 'spelt_wrong',
    });
});

/** What the schema of a parameter does not allow, as a query has it. */
function wrongValues({ type, enum: words, maximum }: ReturnType<typeof schemaOf>): readonly string[] {
  if (Array.isArray(words) || type === 'boolean') return ['neither'];
  return type === 'integer' ? ['many', '0', String(Number(maximum) + 1)] : ['\0'];
}

test('A value that the OpenAPI document does not allow is refused by the name of its parameter', async () => {
  /** Of the whole id of something, of which nothing is known then, or which is compared. */
  const free = ['instance_id', 'binding_id', 'confirm', 'node'];
  for (const [, { path, method, query = {} }] of routes)
    for (const [name, shape] of Object.entries(query)) {
      if (free.includes(name) && path !== '/operator/instances') continue;
      for (const wrong of wrongValues(schemaOf(shape)))
        await expect(call(path, method, { [name]: wrong })).rejects.toMatchObject({
          code: 'invalid',
          field: name,
        });
    }
});

test.each([
  ['get', '/operator/orphans', 200, { orphans: [] }],
  ['post', '/operator/orphans/remove', 202, {}],
  ['get', '/operator/nothing', 404, { error: 'bad-request', description: 'There is nothing.' }],
])('An answer to %s %s with %d and %j fits the OpenAPI document', (method, path, status, body) => {
  expect(() => requireDescribed({ method, path, status, body })).not.toThrow();
});

test.each([
  ['get', '/operator/orphans', 200, {}, /must have required property 'orphans'/],
  ['get', '/operator/orphans', 200, { orphans: [], secret: 1 }, /must NOT have additional properties/],
  ['get', '/operator/orphans', 201, { orphans: [] }, /knows no such answer/],
  ['get', '/operator/nothing', 200, {}, /knows no such answer/],
  ['get', '/operator/nodes/n', 404, { error: 'not-found' }, /description/],
])('An answer to %s %s with %d and %j does not fit it', (method, path, status, body, why) => {
  expect(() => requireDescribed({ method, path, status, body })).toThrow(why);
});
