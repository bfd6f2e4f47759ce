/** Answers held against the specification's own OpenAPI document, which lies beside this file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

export interface Answered {
  readonly method: string;
  /** As it was sent, without query. */
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}

const document = parse(readFileSync(join(import.meta.dirname, 'osb-openapi.yaml'), 'utf8')) as Document;
// The document has keywords of its own, and is no JSON Schema as a whole.
const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true });
ajv.addSchema(document, 'osb');

/** The paths of the document, each with what it matches. */
const patterns = Object.keys(document.paths).map((template) => ({
  template,
  matches: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
}));

/**
 * Fails when the specification has no such success at this place, or describes another body. Of what refuses a
 * request it names only some; those that may come anywhere have the form of its Error too.
 */
export function requireSpecified({ method, path, status, body }: Answered): void {
  const place = `${method.toUpperCase()} ${path} ${status}`;
  const template = patterns.find(({ matches }) => matches.test(path))?.template ?? '';
  const responses = document.paths[template]?.[method.toLowerCase()]?.responses ?? {};
  if (String(status) in responses) {
    const at = ['paths', template, method.toLowerCase(), 'responses', status, 'content', 'application/json'];
    return requireFit(place, [...at, 'schema'], body);
  }
  if (status < 400) throw new Error(`${place}: the specification knows no such answer here.`);
  return requireFit(place, ['components', 'schemas', 'Error'], body);
}

/** @param at where the schema stands in the document */
function requireFit(place: string, at: readonly (string | number)[], body: unknown): void {
  const pointer = at.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const $ref = `osb#${encodeURI(pointer)}`;
  const isFit = ajv.getSchema($ref) ?? ajv.compile({ $ref });
  if (isFit(body)) return;
  throw new Error(`${place}: ${ajv.errorsText(isFit.errors)} in ${JSON.stringify(body)}`);
}
