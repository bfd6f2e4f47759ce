import { Ajv, type ErrorObject } from 'ajv';
import * as check from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isObject, type Json, type JsonObject } from '../../src/broker/json.ts';
import { withoutAbsent } from '../../src/catalog/form/absent.ts';
import { offeringSchema } from '../../src/catalog/form/schema.ts';
import { schemasOf } from '../../src/catalog/form/shorthand.ts';
import { draft04 } from '../../src/catalog/json-schema/drafts.ts';
import { ownSchema } from '../../src/catalog/own-schema.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** What this program makes of its own schemas is what Ajv makes of them. */

const traits = shippedTraits();

const schemas: ReadonlyMap<string, JsonObject> = new Map([
  ['the offering file', offeringSchema],
  ...Object.entries(traits).map(([name, { config }]) => [`config of ${name}`, config] as const),
  ...Object.entries(traits).flatMap(([name, { settings }]) =>
    settings ? [[`settings of ${name}`, settings] as const] : [],
  ),
]);

const directory = join(import.meta.dirname, '../../catalog');

const offerings = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => parse(readFileSync(join(directory, name), 'utf8'), { merge: true }) as JsonObject)
  .map((offering) => withoutAbsent(offering, traits));

/** The same ones each time. */
const runs = { numRuns: 150, seed: 1 };

/** Values that such a schema is meant for. */
function examplesOf(name: string): readonly Json[] {
  const [, part, provisioner] = /^(config|settings) of (.*)$/.exec(name) ?? [];
  if (part === undefined) return offerings;
  const those = offerings.filter((offering) => offering['provisioner'] === provisioner);
  const found =
    part === 'config'
      ? those.map(({ config }) => config)
      : those.flatMap(({ plans }) => (plans as readonly JsonObject[]).map((plan) => plan['with']));
  return [{}, ...found.filter((value) => value !== undefined)];
}

describe.each([...schemas])('Own schemas: %s', (name, schema) => {
  const judge = ownSchema(schema);
  const ajv = new Ajv({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    verbose: true,
  });
  const validate = ajv.compile(schema);

  test(`The schema of ${name} keeps the rules for schemas`, () => {
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  test(`The schema of ${name} has the same as Ajv against what is shipped and what is changed in it`, () => {
    const values = check.constantFrom(...examplesOf(name)).chain(changed);
    check.assert(
      check.property(values, (value) => {
        validate(value);
        expect(sorted(judge(value))).toEqual(sorted(validate.errors ?? []));
      }),
      runs,
    );
  });
});

test('Nothing is wrong with an offering file that is shipped', () => {
  expect(offerings.length).toBeGreaterThan(10);
  expect(offerings.flatMap(ownSchema(offeringSchema))).toEqual([]);
});

test('Parameters in their short form that pass as such become a schema that keeps the rules of its draft', () => {
  const { definitions } = offeringSchema;
  const judge = ownSchema({ ...definitions.parameter, definitions });
  const shipped = offerings.flatMap((offering) =>
    Object.values((offering['parameters'] ?? {}) as JsonObject),
  );
  const rules = check.constantFrom(...shipped).chain(changed);
  check.assert(
    check.property(rules, (rule) => {
      check.pre(judge(rule).length === 0);
      const made = schemasOf({ parameters: { it: rule as JsonObject } });
      for (const schema of [made?.service_instance?.create, made?.service_instance?.update])
        expect(draft04.errorsOf(schema?.parameters as JsonObject)).toEqual([]);
    }),
    runs,
  );
});

test('A keyword that the schemas of this program do not use is refused, not passed over', () => {
  expect(() => ownSchema({ type: 'object', maxProperties: 1 })({})).toThrow('maxProperties');
});

/** The value with something else at one or two of its places. */
function changed(value: Json): check.Arbitrary<Json> {
  const once = changedOnce(value);
  return check.oneof(once, once.chain(changedOnce));
}

function changedOnce(value: Json): check.Arbitrary<Json> {
  const places = placesIn(value);
  return check
    .tuple(
      check.constantFrom(...places),
      check.oneof(others, check.constantFrom(...places.map((at) => valueAt(value, at)))),
    )
    .map(([place, other]) => replacedAt(value, place, other));
}

const others: check.Arbitrary<Json | undefined> = check.oneof(
  check.constantFrom(
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    '',
    ' ',
    'x',
    '1a',
    '{{params.x}}',
    '5m',
    '😀'.repeat(255),
  ),
  check.constantFrom<Json>([], {}, ['a', 'a'], [1, '1', { b: 1, a: 2 }], {
    'a/b~c': { type: 'text' },
  }),
  check.constantFrom<Json>(
    ['provision', 'bind'],
    { port: 'a', command: ['x'] },
    { http: '/', expect: 'x' },
    { unit: 1 },
  ),
);

type Path = readonly string[];

function placesIn(value: Json, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  // One that is not there yet, too.
  const names = [...Object.keys(value), ...(isObject(value) ? ['new one'] : [])];
  return [at, ...names.flatMap((name) => placesIn(Reflect.get(value, name) as Json, [...at, name]))];
}

function valueAt(value: Json, [name, ...rest]: Path): Json | undefined {
  if (name === undefined || typeof value !== 'object' || value === null) return value;
  return valueAt(Reflect.get(value, name) as Json, rest);
}

/** Without it where there is nothing in its place. */
function replacedAt(value: Json, [name, ...rest]: Path, other: Json | undefined): Json {
  if (name === undefined) return other ?? null;
  const inner =
    rest.length === 0 ? other : replacedAt(Reflect.get(value as object, name) as Json, rest, other);
  if (Array.isArray(value))
    return value.map((item: Json, index) => (String(index) === name ? (inner ?? null) : item));
  const members = Object.entries(value as JsonObject).filter(([key]) => key !== name);
  return Object.fromEntries(inner === undefined ? members : [...members, [name, inner]]);
}

/** Of the items that are equal, and of dependencies. */
const unread: ReadonlySet<string> = new Set(['i', 'j', 'depsCount', 'deps']);

/** What is read of errors, in one order: those of alternatives stand where Ajv happens to come to them. */
function sorted(errors: readonly ErrorObject[]): readonly unknown[] {
  const read = errors.map(({ keyword, instancePath, params, propertyName, schema, parentSchema, data }) => {
    const rest = Object.entries(params).filter(([param]) => !unread.has(param));
    return {
      keyword,
      instancePath,
      params: Object.fromEntries(rest),
      propertyName,
      schema,
      parentSchema,
      data,
    };
  });
  return read.map((error) => JSON.stringify(error)).toSorted();
}
