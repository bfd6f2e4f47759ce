import { printable, table, tableWithin, type Cell } from './table.ts';

/** What the operator API tells of an instance, as far as the commands show it. */
export interface InstanceAnswer {
  readonly id: string;
  readonly offering: string;
  readonly plan: string;
  readonly state: string;
  readonly status: string;
  readonly reason: string;
  readonly node?: string;
  readonly bindings: number;
  readonly addresses: readonly string[];
  readonly checked_at?: string;
  readonly units: readonly UnitAnswer[];
  readonly key?: string;
  readonly lost?: { readonly node: string; readonly at: string };
  readonly parent?: string;
  readonly drifted: boolean;
  readonly created_at: string;
}

export interface InstanceDetailsAnswer extends InstanceAnswer {
  readonly needed_by: readonly string[];
  readonly needs: readonly string[];
  readonly operations: readonly OperationAnswer[];
}

interface UnitAnswer {
  readonly unit: string;
  readonly status: string;
  readonly reason: string;
  readonly since: string;
  readonly pid?: number;
  readonly address?: string;
}

export interface OperationAnswer {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly note?: string;
  readonly failures?: number;
  readonly trouble?: string;
  readonly failure?: { readonly sentence: string; readonly detail?: string };
  readonly created_at: string;
  readonly timeline?: readonly {
    readonly step: string;
    readonly tries: number;
    readonly undo: boolean;
    readonly ms: number;
    readonly ended_at: string;
  }[];
}

/**
 * One row for each instance; for whom it was made, and whether its plan has changed since, where there is one such.
 * @param width of a line at most: what is looked at first stays
 */
export function instanceTable(instances: readonly InstanceAnswer[], width = Infinity): string {
  const areMade = instances.some(({ parent }) => parent !== undefined);
  const haveDrifted = instances.some(({ drifted }) => drifted);
  const all: readonly Column[] = [
    ['INSTANCE', ({ id }) => id],
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
    all.filter(([head]) => head !== 'BINDINGS' && head !== 'MADE FOR'),
    width,
  );
}

type Column = readonly [head: string, cell: (instance: InstanceAnswer) => Cell];

/** Everything of one instance: facts, units, and its operations step by step. */
export function instancePage(one: InstanceDetailsAnswer): string {
  const facts = [
    ['instance', one.id],
    ['offering', `${one.offering}, plan ${one.plan}${one.drifted ? ' (changed since)' : ''}`],
    ['state', one.state],
    ['status', `${one.status}: ${one.reason}`],
    ['seen', one.checked_at],
    ['node', one.node],
    ['key', one.key],
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
    ...facts.map(([name = '', value]) => `${name.padEnd(10)} ${value}`),
    '',
    table(['UNIT', 'STATUS', 'REASON', 'SINCE', 'PID', 'ADDRESS'], units),
    '',
    ...one.operations.flatMap(operationLines),
  ].join('\n');
}

/** What there is to say of how an operation ended or goes on. */
export function describeOperation(operation: OperationAnswer): string {
  const { kind, state, note, failure } = operation;
  const tried = describeTries(operation);
  const said = failure
    ? [[failure.sentence, failure.detail].filter(Boolean).join(' '), tried && `Undoing it: ${tried}`]
    : [tried];
  const why = said.filter(Boolean).join(' ');
  const told = note !== undefined && !failure ? ` (${note})` : '';
  return printable(`${kind} ${state}${why === '' ? '' : `: ${why}`}${told}`);
}

function describeTries({ failures = 0, trouble }: OperationAnswer): string | undefined {
  if (trouble === undefined) return undefined;
  return `tried ${failures === 1 ? 'once' : `${failures} times`}, last: ${trouble}`;
}

function operationLines(operation: OperationAnswer): readonly string[] {
  const steps = (operation.timeline ?? []).map(({ step, tries, undo, ms, ended_at: ended }) => {
    const again = tries > 1 ? `, ${tries} tries` : '';
    return `  ${ended}  ${undo ? 'undo ' : ''}${step}  ${ms} ms${again}`;
  });
  return [`${operation.created_at}  ${describeOperation(operation)}`, ...steps];
}
