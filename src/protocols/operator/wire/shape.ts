/**
 * What bodies, answers and parameters consist of. One declaration gives the type that the program is checked by, and
 * the schema that stands in the OpenAPI document, so that neither can say what the other does not.
 */
import type { Json, JsonObject } from '../../../broker/json.ts';

declare const valueOf: unique symbol;

/** What is such a value in JSON. */
export interface Shape<Value> {
  /** Under which the document has it once; absent: it is written wherever it is used. */
  readonly name?: string;
  /** As JSON Schema. @param within gives that of a shape inside */
  readonly write: (within: (inner: Shape<unknown>) => JsonObject) => JsonObject;
  readonly [valueOf]?: () => Value;
}

/** The values of a shape. */
export type ValueOf<One> = One extends Shape<infer Value> ? Value : never;

/** A member that may be absent. */
export interface OptionalShape<Value> extends Shape<Value> {
  readonly optional: true;
}

export type Members = Readonly<Record<string, Shape<unknown>>>;

export interface ObjectShape<Own extends Members> extends Shape<ObjectOf<Own>> {
  readonly members: Own;
}

type ObjectOf<Own extends Members> = Merged<
  {
    readonly [Name in keyof Own as Own[Name] extends OptionalShape<unknown> ? never : Name]: ValueOf<
      Own[Name]
    >;
  } & {
    readonly [Name in keyof Own as Own[Name] extends OptionalShape<unknown> ? Name : never]?:
      ValueOf<Own[Name]> | undefined;
  }
>;

type Merged<Parts> = { [Name in keyof Parts]: Parts[Name] };

export function text(description?: string, rules: JsonObject = {}): Shape<string> {
  return plain({ type: 'string', ...rules, ...described(description) });
}

/** ISO 8601. */
export function time(description?: string): Shape<string> {
  return text(description, { format: 'date-time' });
}

export function words<const Word extends string>(all: readonly Word[], description?: string): Shape<Word> {
  return plain({ type: 'string', enum: [...all], ...described(description) });
}

export function truth(description?: string): Shape<boolean> {
  return plain({ type: 'boolean', ...described(description) });
}

export function whole(description?: string, rules: JsonObject = {}): Shape<number> {
  return plain({ type: 'integer', ...rules, ...described(description) });
}

export function amount(description?: string): Shape<number> {
  return plain({ type: 'number', ...described(description) });
}

/** Whatever somebody else has put there. */
export function anything(description: string): Shape<Json> {
  return plain({ description });
}

export function anyObject(description: string): Shape<JsonObject> {
  return plain({ type: 'object', description });
}

export function list<One>(
  of: Shape<One>,
  description?: string,
  rules: JsonObject = {},
): Shape<readonly One[]> {
  return {
    write: (within) => ({ type: 'array', items: within(of), ...rules, ...described(description) }),
  };
}

/** Members by names that nobody knows beforehand. */
export function dictionary<One>(
  of: Shape<One>,
  description: string,
): Shape<Readonly<Record<string, One | undefined>>> {
  return { write: (within) => ({ type: 'object', additionalProperties: within(of), description }) };
}

export function object<const Own extends Members>(members: Own, rules: JsonObject = {}): ObjectShape<Own> {
  return {
    members,
    write: (within) => ({
      type: 'object',
      properties: Object.fromEntries(Object.entries(members).map(([name, of]) => [name, within(of)])),
      required: Object.keys(members).filter((name) => !('optional' in (members[name] ?? {}))),
      ...rules,
    }),
  };
}

/** What is sent: nothing that is not known. */
export function body<const Own extends Members>(members: Own): ObjectShape<Own> {
  return object(members, { additionalProperties: false });
}

export function maybe<Value>(of: Shape<Value>): OptionalShape<Value> {
  return { ...of, optional: true };
}

export function named<One extends Shape<unknown>>(name: string, of: One): One {
  return { ...of, name };
}

/** The schema of one alone, with everything in it. */
export function schemaOf(shape: Shape<unknown>): JsonObject {
  return shape.write(schemaOf);
}

function plain<Value>(schema: JsonObject): Shape<Value> {
  return { write: () => schema };
}

function described(description: string | undefined): JsonObject {
  return description === undefined ? {} : { description };
}
