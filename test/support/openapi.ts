/** Answers held against an OpenAPI document: that of the specification, which lies beside this file, or our own. */
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

export interface AnswersDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}

const specification = parse(
  readFileSync(join(import.meta.dirname, 'osb-openapi.yaml'), 'utf8'),
) as AnswersDocument;

/**
 * Fails when the specification has no such success at this place, or describes another body. Of what refuses a
 * request it names only some; those that may come anywhere have the form of its Error too.
 */
export const requireSpecified = answerCheck(
  specification,
  // The document has keywords of its own, and is no JSON Schema as a whole.
  new Ajv({ strict: false, validateSchema: false, allErrors: true }),
);

/** @param document whose `components` have a schema `Error` for all that is refused */
export function answerCheck(document: AnswersDocument, ajv: Ajv): (answered: Answered) => void {
  ajv.addSchema(document, 'document');
  const patterns = Object.keys(document.paths).map((template) => ({
    template,
    matches: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
  }));

  /** @param at where the schema stands in the document */
  function requireFit(place: string, at: readonly (string | number)[], body: unknown): void {
    const pointer = at.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    const $ref = `document#${encodeURI(pointer)}`;
    const isFit = ajv.getSchema($ref) ?? ajv.compile({ $ref });
    if (isFit(body)) return;
    throw new Error(`${place}: ${ajv.errorsText(isFit.errors)} in ${JSON.stringify(body)}`);
  }

  return function requireFitting({ method, path, status, body }) {
    const place = `${method.toUpperCase()} ${path} ${status}`;
    const template = patterns.find(({ matches }) => matches.test(path))?.template ?? '';
    const responses = document.paths[template]?.[method.toLowerCase()]?.responses ?? {};
    if (String(status) in responses) {
      const at = [
        'paths',
        template,
        method.toLowerCase(),
        'responses',
        status,
        'content',
        'application/json',
      ];
      return requireFit(place, [...at, 'schema'], body);
    }
    if (status < 400) throw new Error(`${place}: the specification knows no such answer here.`);
    return requireFit(place, ['components', 'schemas', 'Error'], body);
  };
}
