import type { JsonObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { type Draft, draft04, draftNames, findDraft } from '../json-schema/drafts.ts';
import { compileSchema } from '../json-schema/compiled.ts';
import { patternOf } from '../json-schema/pattern.ts';
import { isPlainSchema } from '../json-schema/plain-schema.ts';
import { type Finding, isError, mistake, warning } from '../problem.ts';
import { messageOf } from '../reason.ts';
import { findingsOf } from '../form/shape.ts';
import { deepest, type Subschema, subschemas } from '../json-schema/subschemas.ts';

/** What is wrong with a schema that was made of parameters in their short form, which has kept its own rules. */
export function madeSchemaFindings(schema: JsonObject, at: string): readonly Finding[] {
  return [...sizeFindings(schema, at), ...[...subschemas(schema, at)].flatMap(partFindings)];
}

/** What is wrong with a schema of parameters, by the specification and by Cloud Controller. */
export function parameterSchemaFindings(schema: JsonObject, at: string): readonly Finding[] {
  const dialect = schema['$schema'];
  const place = positionIn(at, '$schema');
  if (dialect === undefined) return [mistake(place, 'The schema must name its draft here.')];
  const draft = typeof dialect === 'string' ? findDraft(dialect) : undefined;
  if (!draft) {
    return [
      mistake(
        place,
        `The draft is not known. There are: http://json-schema.org/{${draftNames.join(',')}}/schema#.`,
      ),
    ];
  }
  return [
    ...ruleFindings(schema, at, draft),
    ...platformFindings(schema, at, draft.name),
    ...dialectFindings(dialect as string, place),
  ];
}

function ruleFindings(schema: JsonObject, at: string, draft: Draft): readonly Finding[] {
  const made = madeSchemaFindings(schema, at);
  if (!made.some(isError) && isPlainSchema(schema)) return made;
  const findings = [...made, ...findingsOf(draft.errorsOf(schema), schema, at)];
  return findings.some(isError) ? findings : [...findings, ...useFindings(schema, at)];
}

const largest = 65_536;

/** spec.md, Input Parameters Schema Object: at most 64 kB; an external reference is forbidden. */
function sizeFindings(schema: JsonObject, at: string): readonly Finding[] {
  const size = Buffer.byteLength(JSON.stringify(schema));
  return size > largest ? [mistake(at, `The schema has ${size} bytes of JSON; ${largest} are allowed.`)] : [];
}

function partFindings({ schema, at, depth }: Subschema): readonly Finding[] {
  if (depth >= deepest) return [mistake(at, `The schema is nested more than ${deepest} levels deep.`)];
  return [...referenceFindings(schema, at), ...patternFindings(schema, at)];
}

function referenceFindings(schema: JsonObject, at: string): readonly Finding[] {
  return ['$ref', '$recursiveRef', '$dynamicRef'].flatMap((keyword) => {
    const target = schema[keyword];
    if (typeof target !== 'string' || target.startsWith('#')) return [];
    return [mistake(positionIn(at, keyword), 'A reference must stay inside the schema: it starts with #.')];
  });
}

function patternFindings(schema: JsonObject, at: string): readonly Finding[] {
  const { pattern, patternProperties } = schema;
  const patterns = [
    ...(typeof pattern === 'string' ? [[pattern, positionIn(at, 'pattern')] as const] : []),
    ...Object.keys(patternProperties ?? {}).map(
      (name) => [name, positionIn(positionIn(at, 'patternProperties'), name)] as const,
    ),
  ];
  return patterns.flatMap(([expression, place]) => {
    const reason = reasonAgainst(() => patternOf(expression));
    return reason === undefined ? [] : [mistake(place, `The pattern is no regular expression: ${reason}.`)];
  });
}

/** Does it compile, and does it end for an empty object? */
function useFindings(schema: JsonObject, at: string): readonly Finding[] {
  if (schema['$async'] !== undefined) return [mistake(positionIn(at, '$async'), 'There is no such keyword.')];
  const reason = reasonAgainst(() => void compileSchema(schema)({}));
  return reason === undefined ? [] : [mistake(at, `The schema cannot be used: ${reason}.`)];
}

function reasonAgainst(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return 'it refers to itself without end';
    return messageOf(error);
  }
}

/** Cloud Controller knows drafts by their very names, and those of the drafts begin with http. */
function dialectFindings(dialect: string, at: string): readonly Finding[] {
  if (dialect.startsWith('https://json-schema.org/draft-')) {
    const reason =
      'Cloud Controller refuses a catalog with this name of the draft: it must begin with http://.';
    return [warning(at, reason)];
  }
  return /draft-0[123]/.test(dialect)
    ? [warning(at, 'This old draft is read as draft-04; name that one, which is understood everywhere.')]
    : [];
}

/** Cloud Controller holds every schema against draft-04 and knows none later than draft-06. */
function platformFindings(schema: JsonObject, at: string, draft: string): readonly Finding[] {
  const isObjectSchema =
    schema['type'] === 'object' || schema['$ref'] !== undefined || schema['allOf'] !== undefined;
  const shape = isObjectSchema
    ? []
    : [warning(at, 'Parameters are an object: the schema should have type: object.')];
  if (draft === 'draft-04') return shape;
  if (draft !== 'draft-06') {
    const reason = 'Cloud Controller refuses a catalog with this draft; draft-04 is understood everywhere.';
    return [...shape, warning(positionIn(at, '$schema'), reason)];
  }
  const old = findingsOf(draft04.errorsOf(schema), schema, at);
  return [
    ...shape,
    ...old.map(({ path, reason }) =>
      warning(path, `Cloud Controller reads this as draft-04, and there: ${reason}`),
    ),
  ];
}
