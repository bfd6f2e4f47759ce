import { isObject, type Json, type JsonObject } from './json.ts';

/** A template that cannot be filled. The message names the place and the path, never a value. */
export class TemplateError extends Error {
  readonly at: string;

  constructor(at: string, reason: string) {
    super(at ? `${at}: ${reason}` : reason);
    this.name = 'TemplateError';
    this.at = at;
  }
}

/**
 * Fills every `{{path}}` and `{{path | filter}}` of a template from the roots. A string that is one
 * expression without a filter keeps the value's type; what was filled in is never filled again.
 * @throws TemplateError for an unknown path or filter, and for a list, object or null inside a text
 */
export function render(template: Json, roots: JsonObject): Json {
  return renderAt(template, roots, '');
}

/** The same; undefined where it cannot be filled, for want of a value as a rule. */
export function renderKnown(template: Json, roots: JsonObject): Json | undefined {
  try {
    return render(template, roots);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

/**
 * Fills a text that becomes a file. A value with control characters is refused unless it goes through
 * `json`: a line break in a configuration file would be a line of the user's own.
 * @param at what errors call the text, e.g. the file's name
 */
export function renderText(template: string, roots: JsonObject, at = ''): string {
  return fill(template, at, (expression) => {
    const value = requireValue(expression, roots);
    if (expression.filter !== 'json' && typeof value === 'string' && controlCharacter.test(value)) {
      throw new TemplateError(
        at,
        `${expressionText(expression)} holds a control character; only the filter json can write it.`,
      );
    }
    return textOf(value, expression);
  });
}

export interface Expression {
  readonly path: readonly string[];
  readonly filter?: string;
  /** Where it stands: `credentials.uri`, `volume_mounts[0].driver`. */
  readonly at: string;
  /** Is it all that stands there? */
  readonly alone: boolean;
}

/** Every well-formed expression of a template, in its order. */
export function expressionsIn(template: Json): Expression[] {
  return stringsAt(template, '').flatMap(({ text, at }) =>
    partsOf(text, at).filter((part) => typeof part === 'object'),
  );
}

/** What is wrong with a template whatever the values are: its form, its filters. */
export function mistakesIn(template: Json): { readonly at: string; readonly reason: string }[] {
  return stringsAt(template, '').flatMap(({ text, at, isName }) => {
    if (isName) return text.includes('{{') ? [{ at, reason: 'A name cannot hold a template.' }] : [];
    return partsOf(text, at)
      .map((part) => mistake(part))
      .filter((reason) => reason !== undefined)
      .map((reason) => ({ at, reason }));
  });
}

/** As it stands in the template. */
export function expressionText({ path, filter }: Pick<Expression, 'path' | 'filter'>): string {
  return filter === undefined ? `{{${path.join('.')}}}` : `{{${path.join('.')} | ${filter}}}`;
}

/** What a path leads to: own members alone, for what an object inherits is no value of anybody's. */
export function findValue(path: readonly string[], roots: Json): Json | undefined {
  return path.reduce<Json | undefined>((found, name) => {
    if (Array.isArray(found))
      return /^\d+$/.test(name) ? (found as readonly Json[])[Number(name)] : undefined;
    return isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }, roots);
}

/** The place of a member, as in `config.files["redis.conf"]` or `plans[0].name`. */
export function positionIn(at: string, key: string | number): string {
  if (typeof key === 'number') return `${at}[${key}]`;
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${at}[${JSON.stringify(key)}]`;
  return at ? `${at}.${key}` : key;
}

function renderAt(template: Json, roots: JsonObject, at: string): Json {
  if (typeof template === 'string') return renderString(template, roots, at);
  if (Array.isArray(template)) {
    return template.map((item: Json, index) => renderAt(item, roots, positionIn(at, index)));
  }
  if (!isObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, inner]) => [key, renderAt(inner, roots, positionIn(at, key))]),
  );
}

function renderString(text: string, roots: JsonObject, at: string): Json {
  const [first] = partsOf(text, at);
  if (typeof first === 'object' && first.alone && !first.filter) return requireValue(first, roots);
  return fill(text, at, (expression) => textOf(requireValue(expression, roots), expression));
}

function fill(text: string, at: string, write: (expression: Expression) => string): string {
  return partsOf(text, at)
    .map((part) => {
      const wrong = mistake(part);
      if (wrong) throw new TemplateError(at, wrong);
      return typeof part === 'string' ? part : write(part);
    })
    .join('');
}

// A name is letters, digits, _ and -; what else stands between braces is no expression.
const expressionForm = /\{\{ *([\w-]+(?:\.[\w-]+)*) *(?:\| *([\w-]+) *)?\}\}/g;

function partsOf(text: string, at: string): (string | Expression)[] {
  // Most texts of a catalog are of this kind.
  if (text !== '' && !text.includes('{{')) return [text];
  const parts: (string | Expression)[] = [];
  let end = 0;
  for (const match of text.matchAll(expressionForm)) {
    const [whole, path = '', filter] = match;
    if (match.index > end) parts.push(text.slice(end, match.index));
    const alone = whole.length === text.length;
    parts.push({ path: path.split('.'), filter, at, alone });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function mistake(part: string | Expression): string | undefined {
  if (typeof part !== 'string') {
    if (part.filter === undefined || filters.has(part.filter)) return undefined;
    return `There is no filter '${part.filter}'; there are ${filterNames.join(', ')}.`;
  }
  const start = part.indexOf('{{');
  if (start === -1) return undefined;
  const excerpt = part.slice(start, start + 40).split('\n')[0];
  return `An expression is {{path}} or {{path | filter}}, nothing else: ${excerpt}`;
}

function requireValue(expression: Expression, roots: JsonObject): Json {
  const value = findValue(expression.path, roots);
  if (value === undefined) {
    throw new TemplateError(expression.at, `There is no value for ${expressionText(expression)}.`);
  }
  return value;
}

function textOf(value: Json, expression: Expression): string {
  if (expression.filter === 'json') return jsonText(value);
  if (typeof value === 'object') {
    throw new TemplateError(
      expression.at,
      `${expressionText(expression)} is no text, number or boolean; only the filter json can write it into text.`,
    );
  }
  const write = expression.filter === undefined ? String : filters.get(expression.filter);
  if (!write) throw new TemplateError(expression.at, `There is no filter '${expression.filter}'.`);
  return write(String(value));
}

const filters: ReadonlyMap<string, (text: string) => string> = new Map([
  ['uri', uriText],
  ['json', jsonText],
  ['base64', (text) => Buffer.from(text, 'utf8').toString('base64')],
  // A part of a text between double quotes, as Redis, NATS, MariaDB, YAML and Erlang read it.
  ['quoted', (text) => jsonText(text).slice(1, -1)],
  ['sh', (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`],
]);

export const filterNames: readonly string[] = [...filters.keys()];

/** Everything but the unreserved characters of RFC 3986 is escaped. */
function uriText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** JSON in which no line break of any kind is left bare, not even those that JSON itself allows. */
function jsonText(value: Json): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (mark) => String.raw`\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const controlCharacter = /[\p{Cc}\u2028\u2029]/u;

interface StringAt {
  readonly text: string;
  readonly at: string;
  /** Is it the name of a member? */
  readonly isName: boolean;
}

function stringsAt(template: Json, at: string): StringAt[] {
  if (typeof template === 'string') return [{ text: template, at, isName: false }];
  if (Array.isArray(template)) {
    return template.flatMap((item: Json, index) => stringsAt(item, positionIn(at, index)));
  }
  if (!isObject(template)) return [];
  return Object.entries(template).flatMap(([key, inner]) => {
    const place = positionIn(at, key);
    return [{ text: key, at: place, isName: true }, ...stringsAt(inner, place)];
  });
}
