import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { Cell, Table } from '../../pages/content/parts.ts';
import { cell, code, shown, soft } from '../../pages/content/words.ts';

/** Names of what nobody should read over somebody's shoulder. */
const secretName =
  /pass(?:word|phrase|wd)?(?:$|[^a-z])|secret|token|credential|private|(?:^|[^a-z])(?:api|access|signing|encryption)?[_-]?key$/i;
/** An address with a login in it. */
const login = /\/\/[^/\s]*@/;

/**
 * What users have said when they made or changed the instance; not what is secret: by its name, or as the schema says it
 * of what is only written (`writeOnly`, `format: password`).
 */
export function parameterTable(parameters: JsonObject, schema: JsonObject | undefined): Table {
  const columns = [{ name: 'Parameter' }, { name: 'Value' }];
  const rows = flat(parameters, schema, '').map(([name, value]) => [
    cell(code(name)),
    value === undefined ? cell(soft('is not shown')) : valueOf(value),
  ]);
  return { is: 'table', label: 'Parameters', columns, rows, empty: 'It was made without parameters.' };
}

function valueOf(value: Json): Cell {
  return cell(code(shown(value) === '' ? '""' : shown(value)));
}

type Flat = readonly (readonly [name: string, value: Json | undefined])[];

function flat(value: JsonObject, schema: JsonObject | undefined, before: string): Flat {
  return Object.entries(value).flatMap(([name, inner]): Flat => {
    const own = memberOf(schema, name);
    const at = `${before}${name}`;
    if (isSecret(name, own)) return [[at, undefined]];
    if (isObject(inner) && Object.keys(inner).length > 0) return flat(inner, own, `${at}.`);
    return [[at, holdsSecret(inner, itemsOf(own)) ? undefined : inner]];
  });
}

function isSecret(name: string, schema: JsonObject | undefined): boolean {
  return secretName.test(name.replace(/([a-z\d])([A-Z])/g, '$1_$2')) || isWriteOnly(schema);
}

function isWriteOnly(schema: JsonObject | undefined): boolean {
  return schema?.['writeOnly'] === true || schema?.['format'] === 'password';
}

/** In what is shown as one value. */
function holdsSecret(value: Json, schema: JsonObject | undefined): boolean {
  if (isWriteOnly(schema)) return true;
  if (typeof value === 'string') return login.test(value);
  if (Array.isArray(value)) return value.some((one: Json) => holdsSecret(one, itemsOf(schema)));
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, inner]) => {
    const own = memberOf(schema, name);
    return isSecret(name, own) || holdsSecret(inner, own);
  });
}

function memberOf(schema: JsonObject | undefined, name: string): JsonObject | undefined {
  const properties = schema?.['properties'];
  const own = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return isObject(own) ? own : undefined;
}

function itemsOf(schema: JsonObject | undefined): JsonObject | undefined {
  const items = schema?.['items'];
  return isObject(items) ? items : schema;
}
