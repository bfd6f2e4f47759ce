import { operatorRoutes, type OperatorVerb } from '../operator/routes.ts';
import { schemaOf } from '../operator/wire/shape.ts';
import type { OperatorRoute } from '../operator/route.ts';
import type { Field, Filters, Links } from './content/parts.ts';
import { pathTo } from './paths.ts';

/** Of the page itself. */
const ofPage = new Set(['after', 'limit']);

/**
 * The filters that a list has in the operator API, as a form: whoever adds one there has it here.
 * @param choices what is offered for a field that may hold anything
 */
export function filtersOf(verb: OperatorVerb, page: string, asked: URLSearchParams): Filters {
  const { query = {} }: OperatorRoute = operatorRoutes[verb];
  const names = Object.keys(query).filter((name) => !ofPage.has(name));
  const fields = names.map((name) => fieldOf(name, schemaOf(query[name] as never), asked.get(name) ?? ''));
  return {
    is: 'filters',
    action: pathTo(page),
    fields,
    inUse: fields.filter(({ value }) => value !== '').length,
  };
}

function fieldOf(name: string, schema: object, value: string): Field {
  const {
    type,
    enum: words,
    description,
  } = schema as {
    readonly type?: string;
    readonly enum?: readonly string[];
    readonly description?: string;
  };
  const kind = type === 'boolean' ? 'check' : words ? 'choice' : 'text';
  return { name, label: labelOf(name), kind, value, choices: words ?? [], hint: description };
}

/** `organization_guid` is `Organization GUID`. */
export function labelOf(name: string): string {
  const said = name.replaceAll('_', ' ').replace(/\bguid\b/, 'GUID');
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
}

/** To the page that follows, and back to the first one; undefined where all is shown. */
export function pagerOf(page: string, asked: URLSearchParams, next: string | undefined): Links | undefined {
  const others = Object.fromEntries([...asked].filter(([name, value]) => name !== 'after' && value !== ''));
  const links = [
    ...(asked.get('after') ? [{ text: 'First page', href: pathTo(page, others) }] : []),
    ...(next === undefined ? [] : [{ text: 'Next page', href: pathTo(page, { ...others, after: next }) }]),
  ];
  return links.length === 0 ? undefined : { is: 'links', label: 'Pages of this list', links };
}
