import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { filtersOf, pagerOf } from '../filters.ts';
import type { InstanceAnswer, ListedBindingAnswer } from '../../operator/wire/instances.ts';
import type { ListedOperationAnswer, OperationAnswer } from '../../operator/wire/operations.ts';
import { instancePath, operationPath, pathTo } from '../paths.ts';
import type { Cell, PageContent, Section, Table } from './parts.ts';
import { alarming, badge, between, cell, code, moment, person, soft, text } from './words.ts';

/** Entries of a page where nobody says how many. */
const usual = '50';

type Listed = Pick<Call, 'query'>;

export async function instancesPage(ask: Ask, { query }: Listed): Promise<PageContent> {
  const { instances, next } = await ask('instances', { query: paged(query) });
  return listPage('Instances', [
    filtersOf('instances', 'instances', query),
    instanceTable(instances),
    pagerOf('instances', query, next),
  ]);
}

export async function bindingsPage(ask: Ask, { query }: Listed): Promise<PageContent> {
  const { bindings, next } = await ask('bindings', { query: paged(query) });
  return listPage('Bindings', [
    filtersOf('bindings', 'bindings', query),
    bindingTable(bindings),
    pagerOf('bindings', query, next),
  ]);
}

export async function operationsPage(ask: Ask, { query }: Listed): Promise<PageContent> {
  const [{ operations, next }, names] = await Promise.all([
    ask('operations', { query: paged(query) }),
    offeringNames(ask),
  ]);
  return listPage('Operations', [
    filtersOf('operations', 'operations', query),
    operationTable('Operations', operations, names, 'There are no such operations.'),
    pagerOf('operations', query, next),
  ]);
}

export function listPage(
  title: string,
  parts: Section['parts'],
  more: Partial<PageContent> = {},
): PageContent {
  return { title, sections: [{ parts }], ...more };
}

export function paged(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams(query);
  if (!asked.get('limit')) asked.set('limit', usual);
  return asked;
}

export type OfferingNames = (id: string) => string;

/** By their ids, also of those that have left the catalog. */
export async function offeringNames(ask: Ask): Promise<OfferingNames> {
  const { offerings } = await ask('offerings');
  return (id) => offerings.find((offering) => offering.id === id)?.name ?? id;
}

function instanceTable(instances: readonly InstanceAnswer[]): Table {
  const columns = [
    { name: 'Instance' },
    { name: 'Offering, plan' },
    { name: 'Status' },
    { name: 'Whose' },
    { name: 'Node' },
    { name: 'Bindings', number: true },
    { name: 'Made (UTC)' },
  ];
  const rows = instances.map((one) => [
    nameOf(one),
    cell(text(one.offering), soft(one.plan), one.drifted ? badge('drifted') : undefined),
    statusOf(one),
    ownerOfInstance(one),
    cell(text(one.node)),
    cell(text(one.bindings)),
    cell(moment(one.created_at)),
  ]);
  return { is: 'table', label: 'Instances', columns, rows, empty: 'There are no such instances.' };
}

function nameOf({ id, name }: InstanceAnswer): Cell {
  const href = instancePath(id);
  return name === undefined ? [code(id, href)] : [text(name, { href }), text(id, { code: true, soft: true })];
}

/** The status, why when it is not good, and what is being done. */
export function statusOf({ status, state, reason }: InstanceAnswer): Cell {
  const isAlarming = alarming.some((one) => one === status);
  return cell(
    badge(status),
    state === 'ready' || state === 'provisioning' ? undefined : badge(state),
    isAlarming || status === 'building' ? soft(reason) : undefined,
  );
}

function ownerOfInstance({ organization, space, platform }: InstanceAnswer): Cell {
  const where = [organization, space].filter((one) => one !== undefined).join(' / ');
  return cell(text(where), soft(platform));
}

export function bindingTable(bindings: readonly ListedBindingAnswer[]): Table {
  const columns = [
    { name: 'Binding' },
    { name: 'Instance' },
    { name: 'Offering, plan' },
    { name: 'State' },
    { name: 'Bound' },
    { name: 'Made (UTC)' },
  ];
  const rows = bindings.map((one) => [
    cell(code(one.id)),
    cell(code(one.instance_id, instancePath(one.instance_id))),
    cell(text(one.offering), soft(one.plan)),
    cell(badge(one.state)),
    boundTo(one),
    cell(moment(one.created_at)),
  ]);
  return { is: 'table', label: 'Bindings', columns, rows, empty: 'There are no such bindings.' };
}

/** What a binding is of, as its platform has named it. */
export function boundTo(
  binding: Pick<ListedBindingAnswer, 'app_guid' | 'route' | 'context' | 'needed_by'>,
): Cell {
  const { app_guid: app, route, context, needed_by: neededBy } = binding;
  const names = ['app_name', 'job_name', 'binding_name'].map((name) => context[name]);
  return cell(
    ...names.map((name) => text(name)),
    code(app),
    code(route),
    neededBy === undefined ? undefined : code(neededBy, instancePath(neededBy)),
  );
}

export function operationTable(
  label: string,
  operations: readonly ListedOperationAnswer[],
  names: OfferingNames,
  empty: string,
): Table {
  const columns = [
    { name: 'Operation' },
    { name: 'State' },
    { name: 'Offering' },
    { name: 'Instance' },
    { name: 'Asked by' },
    { name: 'Begun (UTC)' },
    { name: 'Took', number: true },
  ];
  const rows = operations.map((one) => [
    cell(text(one.action ?? one.kind, { href: operationPath(one.id) })),
    cell(badge(one.state), soft(whyOf(one))),
    cell(text(names(one.offering_id))),
    cell(code(one.instance_id, instancePath(one.instance_id))),
    askedBy(one),
    cell(moment(one.created_at)),
    cell(text(between(one.created_at, one.finished_at))),
  ]);
  return { is: 'table', label, columns, rows, empty };
}

/** Why it has failed, or what it waits for. */
export function whyOf({ failure, note, trouble, state, cancelled }: OperationAnswer): string | undefined {
  if (cancelled) return 'it is to end as failed';
  if (failure) return failure.sentence;
  return state === 'in progress' ? (trouble ?? note) : trouble;
}

export function askedBy({ asked_by: by, requester }: OperationAnswer): Cell {
  return cell(text(by.principal ?? by.protocol), soft(person(requester)));
}

export function instancesOf(query: Readonly<Record<string, string>>): string {
  return pathTo('instances', query);
}
