import type { ErrorObject } from 'ajv';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { expressionsIn, findValue, positionIn } from '../../broker/template.ts';
import type { PlanView } from '../form/offering-file.ts';
import type { Finding } from '../problem.ts';
import { schemasOf } from '../form/shorthand.ts';

type TypeName = 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';

/** A place whose value an instance will decide. */
export interface Open {
  readonly at: string;
  /** As it stands in the file. */
  readonly text: string;
  /** What the value may be then; absent: anything. */
  readonly types: readonly TypeName[] | undefined;
}

export interface Filled {
  readonly value: Json;
  readonly open: readonly Open[];
}

/**
 * What a text with a template will be. One expression alone keeps its type; text around it, a second one or a
 * filter makes text of it.
 */
export function typesOf(text: string, { words }: PlanView): readonly TypeName[] | undefined {
  const [first, ...others] = expressionsIn(text);
  if (!first || others.length > 0 || !first.alone || first.filter !== undefined) return ['string'];
  const [root = '', name = '', ...members] = first.path;
  if (root === 'params') {
    if (name === '') return ['object'];
    const rule = findValue(['properties', name], createSchemaOf(words));
    return members.length > 0 || rule === undefined ? undefined : declared(rule);
  }
  if (root === 'ports') return name === '' ? ['object'] : ['integer'];
  return texts.has(root) && name !== '' ? ['string'] : undefined;
}

/** Roots whose every value is text. */
const texts: ReadonlySet<string> = new Set(['secrets', 'dir', 'broker', 'binding']);

function createSchemaOf(words: PlanView['words']): JsonObject {
  return schemasOf(words)?.service_instance?.create?.parameters ?? {};
}

function declared(rule: Json): readonly TypeName[] | undefined {
  const type = isObject(rule) ? rule['type'] : undefined;
  const given: readonly Json[] = typeof type === 'string' ? [type] : Array.isArray(type) ? type : [];
  const names = given.filter(
    (name): name is TypeName => typeof name === 'string' && Object.hasOwn(samples, name),
  );
  return names.length > 0 ? names : undefined;
}

const samples: Readonly<Record<TypeName, Json>> = {
  array: [],
  boolean: true,
  integer: 1,
  null: null,
  number: 1,
  object: {},
  string: '',
};

/** The value with one of the kinds of value wherever it is open; text stays as it stands. */
export function withSamples({ value, open }: Filled, turn: number): Json {
  const places = new Map(open.map((one) => [one.at, one]));
  return replaced(value, 'config', (at, text) => {
    const one = places.get(at);
    const type = one && typeAt(one, turn);
    // Numbers, too, are written as text where text is due.
    return type === undefined || !nested.has(type) ? text : samples[type];
  });
}

const nested: ReadonlySet<TypeName> = new Set(['array', 'object', 'null']);

/** Could this error at the place itself pass, when the value is what it may be? */
export function isOpenAt({ keyword, params, schema }: ErrorObject, open: Open, turn: number): boolean {
  const type = typeAt(open, turn);
  if (type === undefined) return true;
  if (keyword === 'type') return [params['type']].flat().some((wanted) => fits(type, wanted as TypeName));
  const values = keyword === 'enum' ? schema : keyword === 'const' ? [schema] : undefined;
  if (!Array.isArray(values)) return true;
  return values.some((value: Json) => fits(type, nameOf(value)));
}

/** A number, true and false can be written where text is due, and are. */
function fits(type: TypeName, wanted: TypeName): boolean {
  if (
    type === wanted ||
    (type === 'number' && wanted === 'integer') ||
    (type === 'integer' && wanted === 'number')
  )
    return true;
  return wanted === 'string' && !nested.has(type);
}

function nameOf(value: Json): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as TypeName;
}

/** Says what the template comes to, where a mere `must be a list` would leave people wondering. */
export function explained(finding: Finding, open: readonly Open[]): Finding {
  const one = open.find(({ at }) => at === finding.path);
  if (!one?.types || !finding.reason.startsWith('The value must')) return finding;
  const isText = one.types.length === 1 && one.types[0] === 'string';
  const why = isText
    ? ' What this template comes to is text.'
    : ` This template may come to ${one.types.join(', ')}.`;
  return { ...finding, reason: `${finding.reason}${why}` };
}

function typeAt({ types }: Open, turn: number): TypeName | undefined {
  return types?.[turn % types.length];
}

function replaced(value: Json, at: string, change: (at: string, text: string) => Json): Json {
  if (typeof value === 'string') return change(at, value);
  if (typeof value !== 'object' || value === null) return value;
  const isList = Array.isArray(value);
  const entries = Object.entries(value).map(([key, inner]: [string, Json]) => {
    return [key, replaced(inner, positionIn(at, isList ? Number(key) : key), change)] as const;
  });
  return isList ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}
