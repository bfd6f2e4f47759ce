/** Answers of the operator API held to its own document, and nothing in them that is not described there. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { isObject, type JsonObject } from '../../src/broker/json.ts';
import { openApiDocument } from '../../src/protocols/operator/document.ts';
import { operatorRoutes } from '../../src/protocols/operator/routes.ts';
import { answerCheck, type AnswersDocument } from './openapi.ts';

/** As a client of today would like it: those of tomorrow may find more members. */
const document = closed(openApiDocument(operatorRoutes)) as JsonObject;

export const requireDescribed = answerCheck(document as unknown as AnswersDocument, ajvOfDocuments());

/** Knows everything that stands in the document, and takes nothing that it does not know. */
export function ajvOfDocuments(): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('text', true);
  for (const word of Object.keys(document)) ajv.addVocabulary([word]);
  return ajv;
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]));
  const isShape = value['type'] === 'object' && isObject(value['properties']);
  return isShape ? { additionalProperties: false, ...inner } : inner;
}
