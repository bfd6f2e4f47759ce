import { type JsonObject, jsonOf } from '../../../broker/json.ts';
import { judgedKinds } from '../rules/judged-kinds.ts';
import { clusterScoped } from './kinds.ts';

/** What `config:` of an offering on a cluster may say. `fills` has the texts that may hold templates. */
export const configSchema: JsonObject = {
  ...closed(
    {
      cluster: { type: 'string', minLength: 1 },
      namespace: { type: 'string', minLength: 1 },
      labels: { $ref: '#/definitions/words' },
      pod_security: { type: 'string', enum: ['restricted', 'baseline', 'privileged'], default: 'restricted' },
      quota: { type: 'object', additionalProperties: { $ref: '#/definitions/quantity' }, minProperties: 1 },
      limits: { type: 'array', items: { type: 'object' }, minItems: 1 },
      allow_from: {
        type: 'array',
        items: {
          ...closed({
            namespaces: { $ref: '#/definitions/words' },
            pods: { $ref: '#/definitions/words' },
            cidr: { type: 'string', minLength: 1 },
          }),
          title: 'labels of namespaces or pods, or a cidr',
          oneOf: [{ required: ['cidr'] }, { anyOf: [{ required: ['namespaces'] }, { required: ['pods'] }] }],
        },
      },
      objects: { ...objectsBy('#/definitions/object'), minProperties: 1 },
      read: { $ref: '#/definitions/reads' },
      units: {
        type: 'object',
        propertyNames: { $ref: '#/definitions/name' },
        additionalProperties: closed({
          object: { $ref: '#/definitions/name' },
          container: { type: 'string', minLength: 1 },
          pods: { $ref: '#/definitions/words' },
          address: { type: 'string', minLength: 1 },
        }),
      },
      bind: closed({
        objects: objectsBy('#/definitions/object'),
        read: { $ref: '#/definitions/reads' },
        exec: { $ref: '#/definitions/execs' },
      }),
      unbind: closed({ exec: { $ref: '#/definitions/execs' } }),
    },
    ['namespace', 'objects'],
    definitions(),
  ),
  dependencies: {
    // Where the namespace goes, everything in it goes.
    namespace: {
      anyOf: [
        { properties: { namespace: { not: { enum: ['own'] } } } },
        {
          properties: {
            objects: {
              type: 'object',
              additionalProperties: { type: 'object', properties: { keep: { enum: [false] } } },
            },
          },
        },
      ],
      title: 'with `namespace: own` without objects that say `keep`, for they go with their namespace',
    },
  },
};

function definitions(): JsonObject {
  return {
    name: named('letters, digits, _ and -, beginning with a letter', '^[A-Za-z][\\w-]{0,62}$'),
    quantity: { anyOf: [{ type: 'string' }, { type: 'number' }], title: 'a number, or text such as 2Gi' },
    words: { type: 'object', additionalProperties: { type: 'string' } },
    object: objectSchema(),
    path: named(
      'a path such as status.phase, spec.ports[0].port or status.conditions[type=Ready].status',
      '^(?:[A-Za-z_$][\\w$-]*|\\["[^"\\]]+"\\])(?:\\.[A-Za-z_$][\\w$-]*|\\[\\d{1,9}\\]|\\["[^"\\]]+"\\]|\\[[A-Za-z_][\\w-]*=[^\\]"\\[]+\\])*$',
    ),
    condition: conditionWith({}),
    failure: conditionWith({ text: { $ref: '#/definitions/path' } }),
    reads: readsSchema(),
    execs: {
      type: 'array',
      minItems: 1,
      items: closed(
        {
          unit: { $ref: '#/definitions/name' },
          run: { type: 'array', items: { type: 'string' }, minItems: 1 },
          send: { type: 'string', minLength: 1 },
          expect: { type: 'string', minLength: 1 },
        },
        ['unit', 'run'],
      ),
    },
  };
}

function objectSchema(): JsonObject {
  return {
    type: 'object',
    properties: {
      apiVersion: named('a version such as v1 or apps/v1', '^(?:[a-z0-9.-]+/)?v[0-9][a-z0-9]*$'),
      kind: named(
        'a kind in a namespace such as Deployment',
        `^(?!(?:${clusterScoped.join('|')})$)[A-Z][A-Za-z0-9]*$`,
      ),
      metadata: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', minLength: 1 },
          labels: { type: 'object' },
          annotations: { type: 'object' },
          namespace: { not: {}, title: 'absent: config.namespace says it' },
        },
      },
      ready: {
        title: 'exists, endpoints, or a list of conditions',
        anyOf: [
          { type: 'string', enum: ['exists', 'endpoints'] },
          { type: 'array', minItems: 1, items: { $ref: '#/definitions/condition' } },
        ],
      },
      failed: { type: 'array', minItems: 1, items: { $ref: '#/definitions/failure' } },
      after: { type: 'array', items: { $ref: '#/definitions/name' }, uniqueItems: true },
      wait: { type: 'boolean', default: true },
      ignore: {
        type: 'array',
        items: named('a path of names such as spec.replicas', '^[A-Za-z]\\w*(?:\\.[A-Za-z]\\w*)*$'),
        minItems: 1,
      },
      replace: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      stop: { type: 'object', minProperties: 1 },
    },
    required: ['apiVersion', 'kind', 'metadata'],
    dependencies: {
      kind: {
        title: 'of a kind whose readiness is known, or say `ready`: exists, or a list of conditions',
        anyOf: [...judgedKinds().map(ofGroup), { required: ['ready'] }],
      },
    },
  };
}

function readsSchema(): JsonObject {
  return {
    type: 'object',
    propertyNames: { $ref: '#/definitions/name' },
    additionalProperties: closed(
      {
        of: {
          title: 'the name of an object, or its apiVersion, kind and name',
          anyOf: [
            { $ref: '#/definitions/name' },
            closed(
              {
                apiVersion: { type: 'string', minLength: 1 },
                kind: { type: 'string', minLength: 1 },
                name: { type: 'string', minLength: 1 },
              },
              ['apiVersion', 'kind', 'name'],
            ),
          ],
        },
        path: { $ref: '#/definitions/path' },
        decode: { type: 'string', enum: ['base64'] },
        optional: { type: 'boolean', default: false },
      },
      ['of', 'path'],
    ),
  };
}

/** In any of its versions. */
function ofGroup([group, kinds]: readonly [string, readonly string[]]): JsonObject {
  const prefix = group === '' ? '' : `${group}/`;
  return {
    properties: {
      apiVersion: { type: 'string', pattern: `^${prefix.replaceAll('.', '\\.')}v[0-9][a-z0-9]*$` },
      kind: { enum: [...kinds] },
    },
  };
}

function conditionWith(more: JsonObject): JsonObject {
  const words = {
    condition: { type: 'string', minLength: 1 },
    path: { $ref: '#/definitions/path' },
    equals: {},
    in: { type: 'array', minItems: 1 },
    present: { type: 'boolean' },
    at_least: { type: 'number' },
  };
  return {
    ...closed({ ...words, ...more }),
    title: 'a condition, or a path with one of equals, in, present and at_least',
    oneOf: ['condition', 'equals', 'in', 'present', 'at_least'].map((word) => ({ required: [word] })),
    dependencies: {
      condition: { not: { required: ['path'] } },
      equals: ['path'],
      in: ['path'],
      present: ['path'],
      at_least: ['path'],
    },
  };
}

function objectsBy(reference: string): JsonObject {
  return {
    type: 'object',
    propertyNames: { $ref: '#/definitions/name' },
    additionalProperties: { $ref: reference },
  };
}

function closed(properties: JsonObject, required: readonly string[] = [], defined?: JsonObject): JsonObject {
  return jsonOf({
    type: 'object',
    additionalProperties: false,
    properties,
    required: required.length > 0 ? required : undefined,
    definitions: defined,
  });
}

function named(title: string, pattern: string): JsonObject {
  return { type: 'string', pattern, title };
}
