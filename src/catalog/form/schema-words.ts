import { type JsonObject, jsonOf } from '../../broker/json.ts';

/** The moments of an instance's life at which a hook may run, and for which there is a time limit. */
export const hookNames = [
  'init',
  'prepare',
  'configure',
  'check_up',
  'start',
  'once_ready',
  'stop',
  'halt',
  'monitor',
  'bind',
  'unbind',
  'update',
  'remove',
  'backup',
  'restore',
  'action',
] as const;

export const yesNo = { type: 'boolean' } satisfies JsonObject;

export const anyObject = { type: 'object' } satisfies JsonObject;

export const textSchema = {
  type: 'string',
  pattern: '\\S',
  title: 'text that is not blank',
} satisfies JsonObject;

export const environmentName = {
  type: 'string',
  pattern: '^(?!PURVEYOR_)[A-Za-z_][A-Za-z0-9_]*$',
  title: 'letters, digits and _, neither a digit nor PURVEYOR_ first',
} satisfies JsonObject;

export const durationSchema = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,5}[smhd]$',
  title: 'a duration such as 90s, 10m, 12h or 30d',
} satisfies JsonObject;

export const sizeSchema = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,9}(?:KB|MB|GB|TB)$|\\{\\{',
  title: 'a size such as 64MB or 2GB',
} satisfies JsonObject;

export const numberOrTemplate = {
  title: 'a number, or a template of the plan',
  type: ['number', 'string'],
  pattern: '\\{\\{',
} satisfies JsonObject;

export const semanticVersion = {
  type: 'string',
  // semver.org's own expression
  pattern:
    '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)' +
    '(?:-((?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?' +
    '(?:\\+([0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?$',
  title: 'a semantic version such as 1.2.3',
} satisfies JsonObject;

/** An object with these members and no others. */
export function thing(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return jsonOf({
    type: 'object',
    additionalProperties: false,
    properties,
    required: required.length > 0 ? required : undefined,
  });
}

/** One of the words, or a template that will give one. */
export function textOrTemplate(words: string, title: string): JsonObject {
  return { type: 'string', pattern: `^(?:${words})$|\\{\\{`, title };
}
