import { isObject, type Json, memberOf } from '../../broker/json.ts';
import { printable, table, tableWithin, type Cell } from '../table.ts';
import type {
  BindingAnswer,
  InstanceAnswer,
  InstanceDetailsAnswer,
} from '../../protocols/operator/wire/instances.ts';
import type { OperationAnswer, TimedOperationAnswer } from '../../protocols/operator/wire/operations.ts';

/**
 * One row for each instance; for whom it was made, and whether its plan has changed since, where there is one such.
 * @param width of a line at most: what is looked at first stays
 */
export function instanceTable(instances: readonly InstanceAnswer[], width = Infinity): string {
  const areMade = instances.some(({ parent }) => parent !== undefined);
  const has = (member: 'name' | 'platform' | 'organization' | 'space') =>
    instances.some((one) => one[member] !== undefined);
  const haveDrifted = instances.some(({ drifted }) => drifted);
  const all: readonly Column[] = [
    ['INSTANCE', ({ id }) => id],
    ...(has('name') ? ([['NAME', ({ name }) => name]] satisfies Column[]) : []),
    ['OFFERING', ({ offering }) => offering],
    ['PLAN', ({ plan }) => plan],
    ['STATE', ({ state }) => state],
    ['STATUS', ({ status }) => status],
    ['NODE', ({ node }) => node],
    ['BINDINGS', ({ bindings }) => bindings],
    ...(areMade ? ([['MADE FOR', ({ parent }) => parent]] satisfies Column[]) : []),
    ...(haveDrifted
      ? ([['REVISION', ({ drifted }) => (drifted ? 'older' : 'current')]] satisfies Column[])
      : []),
    ...(has('platform') ? ([['PLATFORM', ({ platform }) => platform]] satisfies Column[]) : []),
    ...(has('organization')
      ? ([['ORGANIZATION', ({ organization }) => organization]] satisfies Column[])
      : []),
    ...(has('space') ? ([['SPACE', ({ space }) => space]] satisfies Column[]) : []),
    ...(instances.some(({ requester }) => requester !== undefined)
      ? ([['MADE BY', ({ requester }) => personIn(requester)]] satisfies Column[])
      : []),
  ];
  const drawn = (columns: readonly Column[], most: number) =>
    tableWithin(
      most,
      columns.map(([head]) => head),
      instances.map((one) => columns.map(([, cell]) => cell(one))),
      ['STATE', 'STATUS', 'REVISION'],
    );
  const natural = drawn(all, Infinity);
  if (natural.split('\n').every((line) => line.length <= width)) return natural;
  return drawn(
    all.filter(([head]) => !secondary.includes(head)),
    width,
  );
}

/** What gives way where lines are short. */
const secondary: readonly string[] = ['BINDINGS', 'MADE FOR', 'PLATFORM', 'ORGANIZATION', 'SPACE', 'MADE BY'];

type Column = readonly [head: string, cell: (instance: InstanceAnswer) => Cell];

/** Everything of one instance: facts, units, and its operations step by step. */
export function instancePage(one: InstanceDetailsAnswer): string {
  const facts = [
    ['instance', one.id],
    ['name', one.name],
    ['platform', one.platform],
    ['organization', named(one.organization, one.organization_guid)],
    ['space', named(one.space, one.space_guid)],
    ['made by', personIn(one.requester)],
    ['offering', `${one.offering}, plan ${one.plan}${one.drifted ? ' (changed since)' : ''}`],
    ['state', one.state],
    ['status', `${one.status}: ${one.reason}`],
    ['seen', one.checked_at],
    ['node', one.node],
    ['key', one.key],
    ['account', one.account],
    ['protected', one.protected_from && `from ${one.protected_from} on`],
    ['kept until', one.kept_until],
    ['lost', one.lost && `with the node ${one.lost.node}, given up ${one.lost.at}`],
    ['addresses', one.addresses.join(', ')],
    ['bindings', String(one.bindings)],
    ['made for', one.parent],
    ['needed by', one.needed_by.join(', ')],
    ['needs', one.needs.join(', ')],
    ['since', one.created_at],
  ].filter(([, value]) => value !== undefined && value !== '');
  const units = one.units.map(({ unit, status, reason, since, pid, address }) => [
    unit,
    status,
    reason,
    since,
    pid,
    address,
  ]);
  return [
    ...facts.map(([name = '', value]) => `${name.padEnd(12)} ${printable(String(value))}`),
    '',
    table(['UNIT', 'STATUS', 'REASON', 'SINCE', 'PID', 'ADDRESS'], units),
    '',
    ...(Object.keys(one.actions).length > 0 ? [actionTable(one.actions), ''] : []),
    ...(one.bound.length > 0 ? [bindingTable(one.bound), ''] : []),
    ...one.operations.flatMap(operationLines),
  ].join('\n');
}

/** By name where there is one, and by id. */
function named(name: string | undefined, id: string | undefined): string | undefined {
  return name !== undefined && id !== undefined && id !== name ? `${name} (${id})` : (name ?? id);
}

/** By the name under which its platform knows the person, else by an id; undefined where neither is told. */
export function personIn(requester: Json | undefined): string | undefined {
  const value = isObject(requester) && isObject(requester['value']) ? requester['value'] : {};
  const told = ['user_name', 'username', 'user', 'email', 'user_id', 'uid'].map((name) => value[name]);
  return told.find((one) => typeof one === 'string' && one !== '') as string | undefined;
}

function actionTable(actions: InstanceDetailsAnswer['actions']): string {
  const rows = Object.entries(actions).map(([name, action]) => [
    name,
    Object.keys(memberOf(action?.parameters, 'properties')).join(', '),
    action?.description,
  ]);
  return table(['ACTION', 'PARAMETERS', 'WHAT IT COMES TO'], rows);
}

function bindingTable(bound: readonly BindingAnswer[]): string {
  const rows = bound.map((one) => [one.id, one.state, userOf(one), one.created_at]);
  return table(['BINDING', 'STATE', 'USED BY', 'SINCE'], rows);
}

/** By the name that people know, if there is one. */
export function userOf({
  context,
  app_guid: app,
  route,
  needed_by: dependent,
}: BindingAnswer): string | undefined {
  const { app_name: appName, job_name: jobName, binding_name: name } = context;
  return appName ?? jobName ?? name ?? app ?? route ?? dependent;
}

/** What there is to say of how an operation ended or goes on. */
export function describeOperation(operation: OperationAnswer): string {
  const { action, kind, state, note, failure, left } = operation;
  const tried = describeTries(operation);
  const said = failure ? [sentencesOf(failure), tried && `Undoing it: ${tried}`] : [left ?? tried];
  const why = said.filter(Boolean).join(' ');
  const told = note !== undefined && !failure ? ` (${note})` : '';
  return printable(`${action ?? kind} ${state}${why === '' ? '' : `: ${why}`}${told}`);
}

/** The detail may have been told with the sentence. */
function sentencesOf({ sentence, detail = '' }: NonNullable<OperationAnswer['failure']>): string {
  return sentence.includes(detail.trim()) ? sentence : `${sentence} ${detail}`;
}

function describeTries({ failures = 0, trouble }: OperationAnswer): string | undefined {
  if (trouble === undefined) return undefined;
  return `tried ${failures === 1 ? 'once' : `${failures} times`}, last: ${trouble}`;
}

function operationLines(operation: TimedOperationAnswer): readonly string[] {
  const steps = operation.timeline.map(({ step, tries, undo, ms, ended_at: ended }) => {
    const again = tries > 1 ? `, ${tries} tries` : '';
    return `  ${ended}  ${undo ? 'undo ' : ''}${step}  ${ms} ms${again}`;
  });
  return [`${operation.created_at}  ${operation.id}  ${describeOperation(operation)}`, ...steps];
}
