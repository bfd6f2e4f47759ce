import { isObject, type JsonObject, memberOf } from '../../../broker/json.ts';
import type { InstanceDetailsAnswer } from '../../operator/wire/instances.ts';
import type { TimedOperationAnswer } from '../../operator/wire/operations.ts';
import type { Call } from '../../protocol.ts';
import { type Ask, ofInstance } from '../ask.ts';
import { instancePath, operationPath, pathTo } from '../paths.ts';
import { type ActionName, actionLinks, actionPieces } from './actions.ts';
import type { Cell, Facts, PageContent, Piece, Section, Table, Timeline } from './parts.ts';
import { askedBy, boundTo, whyOf } from './lists.ts';
import { failureParts } from './operation.ts';
import {
  amountOf,
  badge,
  between,
  cell,
  code,
  count,
  duration,
  moment,
  person,
  shown,
  soft,
  text,
} from './words.ts';

export async function instancePage(
  ask: Ask,
  { query, readsOnly = false }: Pick<Call, 'query' | 'readsOnly'>,
): Promise<PageContent> {
  const one = await ask('instances show', ofInstance(query.get('id') ?? ''));
  const { id, name, reason, status, state, units, operations } = one;
  const { length } = operations;
  return {
    title: name ?? id,
    kind: `Instance of ${one.offering}`,
    below: cell(
      badge(status),
      state === 'ready' || state === 'provisioning' ? undefined : badge(state),
      one.drifted ? badge('drifted') : undefined,
      soft(reason),
    ),
    live: true,
    sections: [
      { parts: [actionLinks(!readsOnly, actionsOf(one), { instance: id }), factsOf(one)] },
      ...declaredSections(one, !readsOnly),
      { title: 'Units', parts: [unitTable(units)] },
      { title: 'Bindings', parts: [boundTable(one, !readsOnly)] },
      {
        title: 'Timeline',
        note:
          length === 0
            ? undefined
            : cell(soft(`The latest ${count(length, 'operation')}, the last one first.`)),
        parts: length === 0 ? [{ is: 'text', text: 'Its operations are forgotten by now.' }] : [],
      },
      ...operations.map(operationSection),
    ],
  };
}

/** What can be done with it as it is. */
function actionsOf({
  state,
  status,
  lost,
  drifted,
  parent,
  protected_from: from,
}: InstanceDetailsAnswer): readonly ActionName[] {
  const isProtected = from !== undefined && Date.parse(from) <= Date.now();
  const running = status === 'stopped' ? (['start'] as const) : (['stop', 'restart'] as const);
  return [
    ...(lost ? (['recreate'] as const) : state === 'ready' ? running : []),
    ...(state === 'deleted' ? (['undelete'] as const) : []),
    ...(drifted && state !== 'deleted' ? (['upgrade'] as const) : []),
    ...(state === 'ready' ? (['back-up'] as const) : []),
    ...(isProtected ? (['unprotect'] as const) : (['delete', 'force-delete', 'purge'] as const)),
    ...(isProtected || parent !== undefined ? [] : (['protect'] as const)),
  ];
}

function factsOf(one: InstanceDetailsAnswer): Facts {
  const { organization, space, node, cost, lost } = one;
  const linked = (ids: readonly string[]) => cell(...ids.map((id) => code(id, instancePath(id))));
  return {
    is: 'facts',
    facts: [
      ['Id', cell(code(one.id))],
      ['Plan', cell(text(one.plan), one.drifted ? soft('It has changed since.') : undefined)],
      ['Organization', cell(text(organization), code(one.organization_guid))],
      ['Space', cell(text(space), code(one.space_guid))],
      ['Platform', cell(text(one.platform))],
      ['Asked for by', cell(text(person(one.requester)), requesterOf(one))],
      ['Node', cell(text(node, { href: node && pathTo('nodes') }))],
      ['Cost', cell(cost === undefined ? undefined : text(amountOf(cost)))],
      ['Addresses', cell(...one.addresses.map((address) => code(address)))],
      ['Runs as user', cell(text(one.account))],
      ['Key of its names', cell(code(one.key))],
      ['Made', cell(moment(one.created_at))],
      ['Last changed', cell(moment(one.updated_at))],
      ['Last looked at', cell(moment(one.checked_at))],
      [
        'Left alone',
        cell(text(one.left_alone ? 'Its units died too often: nothing starts them again.' : undefined)),
      ],
      ['Deleted, kept until', cell(moment(one.kept_until))],
      ['Protected from', cell(moment(one.protected_from))],
      ['Lost', cell(lost && text(`With the node ${lost.node}`), moment(lost?.at))],
      ['Made for', linked(one.parent === undefined ? [] : [one.parent])],
      ['Needed by', linked(one.needed_by)],
      ['Needs', linked(one.needs)],
    ],
  };
}

/** All that was said of who asked, where it is more than a name. */
function requesterOf({ requester }: InstanceDetailsAnswer): Piece | undefined {
  const all = shown(requester);
  return all === person(requester) ? undefined : text(all, { code: true, soft: true });
}

function declaredSections(
  { id, actions, state }: InstanceDetailsAnswer,
  mayAct: boolean,
): readonly Section[] {
  const all = Object.entries(actions);
  if (all.length === 0) return [];
  const acts = mayAct && state === 'ready';
  const columns = [
    { name: 'Action' },
    { name: 'What it comes to' },
    { name: 'Parameters' },
    ...(acts ? [{ name: 'Actions' }] : []),
  ];
  const rows = all.map(([name, action]) => [
    cell(text(name)),
    cell(text(action?.description)),
    cell(...parametersOf(action?.parameters).map((one) => code(one))),
    ...(acts ? [actionPieces(true, ['declared'], { instance: id, action: name })] : []),
  ]);
  return [
    {
      title: 'Declared actions',
      parts: [{ is: 'table', label: 'Declared actions', columns, rows, empty: '' }],
    },
  ];
}

/** As who types them needs to know them. */
function parametersOf(schema: JsonObject | undefined): readonly string[] {
  return Object.entries(memberOf(schema, 'properties')).map(
    ([name, rule]) => `${name}: ${shown(isObject(rule) ? (rule['enum'] ?? rule['type']) : rule)}`,
  );
}

function unitTable(units: InstanceDetailsAnswer['units']): Table {
  const columns = [
    { name: 'Unit' },
    { name: 'Status' },
    { name: 'Why' },
    { name: 'Address' },
    { name: 'Process', number: true },
    { name: 'Since (UTC)' },
  ];
  const rows = units.map((unit) => [
    cell(text(unit.unit)),
    cell(badge(unit.status)),
    cell(text(unit.reason)),
    cell(code(unit.address)),
    cell(text(unit.pid)),
    cell(moment(unit.since)),
  ]);
  return { is: 'table', label: 'Units', columns, rows, empty: 'Nothing of it runs by itself.' };
}

function boundTable({ id, bound }: InstanceDetailsAnswer, mayAct: boolean): Table {
  const columns = [
    { name: 'Binding' },
    { name: 'State' },
    { name: 'Bound' },
    { name: 'Made (UTC)' },
    { name: 'Expires (UTC)' },
    ...(mayAct ? [{ name: 'Actions' }] : []),
  ];
  const rows = bound.map((one) => [
    cell(code(one.id), soft(one.operation && whyOf(one.operation))),
    cell(badge(one.state)),
    boundTo(one),
    cell(moment(one.created_at)),
    cell(moment(one.expires_at)),
    ...(mayAct ? [actionPieces(true, ['unbind', 'purge-binding'], { instance: id, binding: one.id })] : []),
  ]);
  return { is: 'table', label: 'Bindings', columns, rows, empty: 'It has no bindings.' };
}

function operationSection(operation: TimedOperationAnswer): Section {
  const { action, kind, id, timeline, created_at: at, finished_at: end } = operation;
  const note = cell(
    badge(operation.state),
    moment(at),
    soft(end === undefined ? undefined : `took ${between(at, end)}`),
    ...asSentence(askedBy(operation)),
    code(id, operationPath(id)),
  );
  return {
    title: action ?? kind,
    sub: true,
    note,
    parts: [...failureParts(operation), timelineOf(kind, timeline)],
  };
}

function asSentence(who: Cell): Cell {
  return who.map((piece, at) =>
    piece && at === 0 ? { ...piece, text: `by ${piece.text}`, soft: true } : piece,
  );
}

export function timelineOf(kind: string, steps: TimedOperationAnswer['timeline']): Timeline | undefined {
  if (steps.length === 0) return undefined;
  const ends = steps.map(({ ended_at: at }) => Date.parse(at));
  const starts = steps.map(({ ms }, at) => (ends[at] ?? 0) - ms);
  const first = Math.min(...starts);
  const whole = Math.max(1, Math.max(...ends) - first);
  return {
    is: 'timeline',
    label: `Steps of ${kind}`,
    steps: steps.map(({ step, tries, undo, ms }, at) => {
      const x = Math.min(99, (100 * ((starts[at] ?? first) - first)) / whole);
      return {
        name: step,
        notes: cell(
          undo ? badge('undone') : undefined,
          tries > 1 ? soft(`at the ${ordinal(tries)} try`) : undefined,
        ).filter((piece) => piece !== undefined),
        took: duration(ms),
        x: x.toFixed(2),
        width: Math.max(0.5, Math.min(100 - x, (100 * ms) / whole)).toFixed(2),
        tone: undo ? 'warn' : 'good',
      };
    }),
  };
}

function ordinal(n: number): string {
  const endings = ['th', 'st', 'nd', 'rd'];
  const isTeen = n % 100 > 10 && n % 100 < 14;
  return `${n}${(isTeen ? undefined : endings[n % 10]) ?? 'th'}`;
}
