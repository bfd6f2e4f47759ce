import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decideBind } from '../../../src/broker/requests/bind.ts';
import { decideDeprovision } from '../../../src/broker/requests/deprovision.ts';
import { Refusal } from '../../../src/broker/errors.ts';
import { exclusion } from '../../../src/broker/exclusion.ts';
import type { RequestContext } from '../../../src/broker/requests/context.ts';
import { fetchBinding, fetchInstance } from '../../../src/broker/requests/fetch.ts';
import { decideRecreate } from '../../../src/broker/requests/recreate.ts';
import { decideStartStop } from '../../../src/broker/requests/start-stop.ts';
import { decideProvision } from '../../../src/broker/requests/provision.ts';
import type {
  FoundBinding,
  FoundInstance,
  Operation,
  OperationKind,
  ServiceBinding,
  ServiceInstance,
} from '../../../src/broker/records.ts';
import { describeState } from '../../../src/broker/state.ts';
import { decideUnbind } from '../../../src/broker/requests/unbind.ts';
import { decideUpdate } from '../../../src/broker/requests/update.ts';
import {
  aBinding,
  anInstance,
  anOperation,
  aPlan,
  found,
  toBind,
  toDeprovision,
  toOperate,
  toProvision,
  toUnbind,
  toUpdate,
} from '../fixtures.ts';
import { scripted } from '../core-in-memory.ts';
import { tableAfter } from '../../support/page-table.ts';

/** What each request comes to in each state: every cell of the tables in docs/lifecycle.md, and what no table can say. */

const page = readFileSync(join(import.meta.dirname, '../../../docs/lifecycle.md'), 'utf8');

const unfinished = anInstance({ ready: false });
const ready = anInstance();
const updateRequest = { parameters: { size: 2 } };

/** The words of the column "row". */
const rows: Readonly<Record<string, ServiceInstance | undefined>> = {
  none: undefined,
  unfinished,
  ready,
  stopped: anInstance({ stopped: true }),
  lost: anInstance({ ready: false, lost: { node: 'n1', at: new Date() } }),
};

const update = { confidential: { request: updateRequest } };

/** The words of the column "open". */
const open: Readonly<Record<string, { operation?: Operation; binding?: boolean }>> = {
  nothing: {},
  'a bind or unbind': { binding: true },
  provision: { operation: anOperation('provision') },
  update: { operation: anOperation('update', update) },
  'update, not begun': { operation: anOperation('update', { ...update, attempt: 0 }) },
  deprovision: { operation: anOperation('deprovision') },
  start: { operation: anOperation('start') },
  stop: { operation: anOperation('stop') },
  restart: { operation: anOperation('restart') },
  'restart, and a bind or unbind': { operation: anOperation('restart'), binding: true },
};

function situation(row: string, what: string): FoundInstance | undefined {
  const operations = open[what];
  if (!(row in rows) || !operations) throw new Error(`Nothing is known of '${row}' with '${what}'.`);
  const instance = rows[row];
  return instance && found(instance, operations.operation, operations.binding);
}

/** One word for a decision or a refusal. */
function word(decide: () => object | 'start'): string {
  try {
    const decision = decide();
    if (decision === 'start') return 'start';
    if ('is' in decision) return String(decision.is);
    if ('join' in decision) return 'same operation';
    if ('after' in decision) return 'wait';
    return 'cancels' in decision ? 'cancel, start' : 'start';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** What is fetched is told, or it is refused. */
async function fetched(fetch: () => Promise<unknown>): Promise<string> {
  try {
    await fetch();
    return 'told';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** Only what fetching asks of the core: the rows, and a plan that says nothing of parameters. */
function coreWith(there: FoundBinding): RequestContext {
  const { found: instance } = there;
  const store = { findInstance: async () => instance, findBinding: async () => there };
  const provisioner = () => scripted({}).provisioner;
  return {
    store,
    provisioner,
    planOf: async () => aPlan(),
    now: () => new Date(),
  } as unknown as RequestContext;
}

type Answer = (there: FoundInstance | undefined) => string | Promise<string>;

/** The columns of the tables of an instance, in their order. */
const requests: Readonly<Record<string, Answer>> = {
  word: (there) => describeState(there),
  'same PUT': (there) => word(() => decideProvision(there, toProvision())),
  'other PUT': (there) => word(() => decideProvision(there, toProvision({ parameters: { other: true } }))),
  'same PATCH': (there) => word(() => decideUpdate(there, toUpdate(updateRequest))),
  'other PATCH': (there) => word(() => decideUpdate(there, toUpdate())),
  DELETE: (there) => word(() => decideDeprovision(there, toDeprovision())),
  bind: (there) => word(() => decideBind({ found: there }, toBind(), new Date())),
  GET: (there) => fetched(() => fetchInstance(coreWith({ found: there }), 'i1')),
};
const operators: Readonly<Record<string, Answer>> = {
  start: (there) => word(() => decideStartStop(there, toOperate(), 'start')),
  stop: (there) => word(() => decideStartStop(there, toOperate(), 'stop')),
  restart: (there) => word(() => decideStartStop(there, toOperate(), 'restart')),
  recreate: (there) => word(() => decideRecreate(there)),
  upgrade: (there) => word(() => decideUpdate(there, toUpdate({ upgrade: true }))),
  delete: (there) => (there ? word(() => decideDeprovision(there, toDeprovision())) : 'not-found'),
  'force-delete': (there) =>
    there ? word(() => decideDeprovision(there, toDeprovision({ force: true }))) : 'not-found',
};

/** The rows that the tables of an instance must have: every situation that is told apart. */
const situations = [
  ['none', 'nothing'],
  ['unfinished', 'provision'],
  ['unfinished', 'nothing'],
  ['unfinished', 'deprovision'],
  ['ready', 'nothing'],
  ['ready', 'a bind or unbind'],
  ['ready', 'update'],
  ['ready', 'update, not begun'],
  ['ready', 'deprovision'],
  ['ready', 'start'],
  ['ready', 'stop'],
  ['ready', 'restart'],
  ['ready', 'restart, and a bind or unbind'],
  ['stopped', 'nothing'],
  ['lost', 'nothing'],
  ['lost', 'provision'],
  ['lost', 'deprovision'],
];

describe.each([
  ['requests', requests],
  ['operators', operators],
])('The table "%s" of docs/lifecycle.md', (marker, columns) => {
  const { head, rows: lines } = tableAfter(page, marker);

  test('A table of decisions in docs/lifecycle.md has the columns and the rows that are told apart, each once.', () => {
    expect(head).toEqual(['row', 'open', ...Object.keys(columns)]);
    expect(lines.map((line) => line.slice(0, 2))).toEqual(situations);
  });

  test.each(
    lines.flatMap(([row = '', what = '', ...cells]) =>
      Object.entries(columns).map(([column, answer], at) => ({ row, what, column, answer, cell: cells[at] })),
    ),
  )(
    'An instance whose row is $row, with $what open: $column comes to $cell.',
    async ({ row, what, answer, cell }) => {
      expect(await answer(situation(row, what))).toBe(cell);
    },
  );
});

const byPlatform = anOperation('bind', { bindingId: 'b1', origin: { protocol: 'osb' } });
const byBroker = anOperation('unbind', { bindingId: 'b2', origin: { protocol: 'broker' } });
const byOperator = anOperation('unbind', { bindingId: 'b3', origin: { protocol: 'operator' } });

test.each([
  ['an unbind of the broker itself', 'wait', [byBroker]],
  ['what the broker itself and an operator unbind', 'wait', [byOperator, byBroker]],
  ['a bind of a platform', 'busy', [byPlatform]],
  ['an unbind of the broker itself beside a bind of a platform', 'busy', [byBroker, byPlatform]],
])(
  'While of the bindings of an instance there is open %s, DELETE and PATCH come to %s.',
  (_what, cell, onBindings) => {
    const there = { ...found(ready, undefined, true), onBindings };
    expect(word(() => decideDeprovision(there, toDeprovision()))).toBe(cell);
    expect(word(() => decideUpdate(there, toUpdate()))).toBe(cell);
  },
);

test('An instance that is stopped gets no new binding, but who has been given one is told of it again.', () => {
  const there = found(anInstance({ stopped: true }));
  const refused = { code: 'not-ready', message: 'The service instance is stopped. Start it and bind again.' };
  const outcomeOf = (rest: Partial<FoundBinding>) =>
    decideBind({ found: there, ...rest }, toBind(), new Date());
  expect(() => outcomeOf({})).toThrow(expect.objectContaining(refused));
  expect(() => outcomeOf({ binding: aBinding({ ready: false }) })).toThrow(expect.objectContaining(refused));
  expect(outcomeOf({ binding: aBinding() })).toMatchObject({ is: 'unchanged' });
  const operation = anOperation('bind');
  const binding = aBinding({ ready: false });
  expect(outcomeOf({ binding, operation })).toMatchObject({ join: operation });
  const partly = found(anInstance({ stoppedUnits: ['web'] }));
  expect(decideBind({ found: partly }, toBind(), new Date())).toBe('start');
});

test.each([
  [undefined, undefined, 'same operation'],
  [['a', 'b'], ['b', 'a'], 'same operation'],
  [['a'], ['a', 'b'], 'busy'],
  [['a'], undefined, 'busy'],
  [undefined, ['a'], 'busy'],
])('While units %j are being restarted, a restart of %j comes to %s.', (open, units, expected) => {
  const there = found(ready, anOperation('restart', { confidential: open ? { units: open } : {} }));
  expect(word(() => decideStartStop(there, toOperate(units ? { units } : {}), 'restart'))).toBe(expected);
});

test.each([
  ['the plan', { planId: 'large' }],
  ['the offering', { offeringId: 'database' }],
  ['the organization', { organizationGuid: 'other' }],
  ['the space', { spaceGuid: 'other' }],
  ['a parameter', { parameters: { a: 1 } }],
])(
  'A provision that differs in %s conflicts with the existing instance. [PRV-08, PRV-10]',
  (_what, difference) => {
    expect(word(() => decideProvision(found(ready), toProvision(difference)))).toBe('conflict');
    expect(word(() => decideProvision(situation('unfinished', 'provision'), toProvision(difference)))).toBe(
      'conflict',
    );
  },
);

test.each([
  ['the context', { context: { instance_name: 'renamed' } }],
  ['who asks', { origin: { protocol: 'osb', identity: { user_id: 'other' } } }],
  ['the maintenance version', { maintenanceVersion: '9.9.9' }],
])('A provision that differs only in %s is the same. [PRV-08.context]', (_what, difference) => {
  expect(word(() => decideProvision(found(ready), toProvision(difference)))).toBe('unchanged');
});

test('The order of the members of parameters does not make a request different. [PRV-05]', () => {
  const confidential = { parameters: { a: 1, b: { c: [1, 2], d: null } }, secrets: {}, facts: {} };
  const same = toProvision({ parameters: { b: { d: null, c: [1, 2] }, a: 1 } });
  expect(word(() => decideProvision(found(anInstance({ confidential })), same))).toBe('unchanged');
});

test.each([
  ['same operation', updateRequest],
  ['busy', { parameters: { size: 3 } }],
  ['busy', { ...updateRequest, planId: 'large' }],
  ['busy', { ...updateRequest, maintenanceVersion: '2.0.0' }],
])(
  'While an update is in progress, it comes to %s when %j is asked. [UPD-12, UPD-13]',
  (expected, request) => {
    expect(word(() => decideUpdate(situation('ready', 'update'), toUpdate(request)))).toBe(expected);
  },
);

test.each([
  ['service_id', { offeringId: 'database' }],
  ['plan_id', { planId: 'large' }],
])(
  'A deprovision or unbind with another %s is refused and names it. [DEP-04, UNB-04]',
  (field, difference) => {
    const refusal = expect.objectContaining({ code: 'invalid', field });
    expect(() => decideDeprovision(found(ready), toDeprovision(difference))).toThrow(refusal);
    const bound = { found: found(ready), binding: aBinding() };
    expect(() => decideUnbind(bound, toUnbind(difference))).toThrow(refusal);
  },
);

/** The words of the columns "binding" and "open" of the table of a binding. */
const bindings: Readonly<Record<string, ServiceBinding | undefined>> = {
  none: undefined,
  unfinished: aBinding({ ready: false }),
  ready: aBinding(),
  expired: aBinding({ expiresAt: new Date(0) }),
};
const openOnBinding: Readonly<Record<string, Operation | undefined>> = {
  nothing: undefined,
  bind: anOperation('bind'),
  unbind: anOperation('unbind'),
};

const bindingColumns: Readonly<Record<string, (there: FoundBinding) => string | Promise<string>>> = {
  'same PUT': (there) => word(() => decideBind(there, toBind(), new Date())),
  'other PUT': (there) => word(() => decideBind(there, toBind({ appGuid: 'other' }), new Date())),
  DELETE: (there) => word(() => decideUnbind(there, toUnbind())),
  GET: (there) => fetched(() => fetchBinding(coreWith(there), 'i1', 'b1')),
};

describe('The table "bindings" of docs/lifecycle.md', () => {
  const { head, rows: lines } = tableAfter(page, 'bindings');

  test('The table "bindings" of docs/lifecycle.md has the columns and the rows that are told apart, each once.', () => {
    expect(head).toEqual(['binding', 'open', ...Object.keys(bindingColumns)]);
    expect(lines.map((line) => line.slice(0, 2))).toEqual([
      ['none', 'nothing'],
      ['unfinished', 'bind'],
      ['unfinished', 'nothing'],
      ['ready', 'nothing'],
      ['expired', 'nothing'],
      ['ready', 'unbind'],
    ]);
  });

  test.each(
    lines.flatMap(([binding = '', what = '', ...cells]) =>
      Object.entries(bindingColumns).map(([column, answer], at) => ({
        binding,
        what,
        column,
        answer,
        cell: cells[at],
      })),
    ),
  )(
    'A binding whose row is $binding, with $what open: $column comes to $cell.',
    async ({ binding, what, answer, cell }) => {
      expect(binding in bindings && what in openOnBinding).toBe(true);
      const there = { found: found(ready), binding: bindings[binding], operation: openOnBinding[what] };
      expect(await answer(there)).toBe(cell);
    },
  );
});

describe('The table "meetings" of docs/lifecycle.md', () => {
  const { head, rows: lines } = tableAfter(page, 'meetings');
  const kinds = Object.keys(exclusion);

  test('The table "meetings" of docs/lifecycle.md has a row and a column for each kind of operation.', () => {
    expect(head).toEqual(['asked for', ...kinds]);
    expect(lines.map(([asked]) => asked)).toEqual(kinds);
  });

  test.each(
    lines.flatMap(([asked, ...cells]) =>
      kinds.map((kind, at) => ({
        asked: asked as OperationKind,
        kind: kind as OperationKind,
        cell: cells[at],
      })),
    ),
  )('A $asked that meets an open $kind: $cell.', ({ asked, kind, cell }) => {
    expect(exclusion[asked][kind]).toBe(cell);
  });
});

test.each([
  ['parameters', { parameters: { a: 1 } }],
  ['application', { appGuid: 'other' }],
  ['route', { route: 'other.example.com' }],
  ['predecessor', { predecessorId: 'b0' }],
  ['plan', { planId: 'large' }],
])(
  'A bind with another %s conflicts with the existing binding. [BND-06.parameters, BND-06.plan, BND-06.app, BND-08]',
  (_what, difference) => {
    const bound = { found: found(ready), binding: aBinding() };
    expect(word(() => decideBind(bound, toBind(difference), new Date()))).toBe('conflict');
    const running = { ...bound, operation: anOperation('bind') };
    expect(word(() => decideBind(running, toBind(difference), new Date()))).toBe('conflict');
  },
);
