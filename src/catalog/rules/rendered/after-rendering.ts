import type { ErrorObject } from 'ajv';
import type { Json } from '../../../broker/json.ts';
import { expressionsIn, positionIn } from '../../../broker/template.ts';
import type { PlanView } from '../../form/offering-file.ts';
import type { Finding } from '../../problem.ts';
import { schemasOf } from '../../form/shorthand.ts';
import { typeNameOf, typesAt, type TypeName } from './types-at.ts';

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

/** What the credentials of needed offerings may be, by the path of an expression; undefined: anything. */
export type NeededTypes = (path: readonly string[]) => readonly TypeName[] | undefined;

/**
 * What a text with a template will be. One expression alone keeps its type; text around it, a second one or a
 * filter makes text of it.
 */
export function typesOf(
  text: string,
  { words }: PlanView,
  neededTypes: NeededTypes = () => undefined,
): readonly TypeName[] | undefined {
  const [first, ...others] = expressionsIn(text);
  if (!first || others.length > 0 || !first.alone || first.filter !== undefined) return ['string'];
  const [root = '', name = '', ...members] = first.path;
  if (root === 'params') {
    return typesAt(first.path.slice(1), schemasOf(words)?.service_instance?.create?.parameters);
  }
  if (root === 'deps') return name === '' || members.length === 0 ? ['object'] : neededTypes(first.path);
  if (root === 'plan') return name === '' ? ['object'] : undefined;
  if (root === 'ports') return name === '' ? ['object'] : ['integer'];
  return texts.has(root) && name !== '' ? ['string'] : undefined;
}

/** Roots whose every value is text. */
const texts: ReadonlySet<string> = new Set(['secrets', 'instance', 'dir', 'broker', 'binding']);

const samples: Readonly<Record<TypeName, Json>> = {
  array: [],
  boolean: true,
  integer: 1,
  null: null,
  number: 1,
  object: {},
  string: '',
};

/** Where a template stands, and what becomes of numbers there. */
export interface Setting {
  readonly at: string;
  /** Are numbers, true and false written as text where text is due? */
  readonly writesText: boolean;
}

/** The value with one of the kinds of value wherever it is open; text stays as it stands. */
export function withSamples({ value, open }: Filled, turn: number, { at: place, writesText }: Setting): Json {
  const places = new Map(open.map((one) => [one.at, one]));
  return replaced(value, place, (at, text) => {
    const one = places.get(at);
    const type = one && typeAt(one, turn);
    return type === undefined || type === 'string' || (writesText && !nested.has(type))
      ? text
      : samples[type];
  });
}

const nested: ReadonlySet<TypeName> = new Set(['array', 'object', 'null']);

/** Could this error at the place itself pass, when the value is what it may be? */
export function isOpenAt(
  { keyword, params, schema }: ErrorObject,
  open: Open,
  turn: number,
  writesText: boolean,
): boolean {
  const type = typeAt(open, turn);
  if (type === undefined) return true;
  const fits = (wanted: TypeName) => isOf(type, wanted) || (writesText && isWritten(type, wanted));
  if (keyword === 'type') return [params['type']].flat().some((wanted) => fits(wanted as TypeName));
  const values = keyword === 'enum' ? schema : keyword === 'const' ? [schema] : undefined;
  if (!Array.isArray(values)) return true;
  return values.some((value: Json) => fits(typeNameOf(value)));
}

function isOf(type: TypeName, wanted: TypeName): boolean {
  const isNumber = (name: TypeName) => name === 'number' || name === 'integer';
  return type === wanted || (isNumber(type) && isNumber(wanted));
}

function isWritten(type: TypeName, wanted: TypeName): boolean {
  return wanted === 'string' && !nested.has(type);
}

/** Says what the template comes to, where a mere `must be a list` would leave people wondering. */
export function explained(finding: Finding, open: readonly Open[]): Finding {
  const one = open.find(({ at }) => at === finding.path);
  if (!one?.types || !finding.reason.startsWith('The value must')) return finding;
  const isText = one.types.length === 1 && one.types[0] === 'string';
  const why = isText
    ? ' What this template comes to is text.'
    : ` This template may come to ${one.types.join(', ')}.`;
  // It stands in quotes.
  return { ...finding, reason: `${finding.reason.replace(' Put it in quotes.', '')}${why}` };
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
