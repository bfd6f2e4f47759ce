import { decideBind } from '../../../src/broker/requests/bind.ts';
import { decideDeprovision } from '../../../src/broker/requests/deprovision.ts';
import { Refusal } from '../../../src/broker/errors.ts';
import { decideStartStop } from '../../../src/broker/requests/start-stop.ts';
import { decideProvision } from '../../../src/broker/requests/provision.ts';
import type { FoundBinding, FoundInstance } from '../../../src/broker/records.ts';
import { describeState } from '../../../src/broker/state.ts';
import { decideUnbind } from '../../../src/broker/requests/unbind.ts';
import { decideUpdate } from '../../../src/broker/requests/update.ts';
import {
  aBinding,
  anInstance,
  anOperation,
  found,
  toBind,
  toDeprovision,
  toOperate,
  toProvision,
  toUnbind,
  toUpdate,
} from '../fixtures.ts';

/** The state table of the lifecycle: what each request comes to in each state. */

const unfinished = anInstance({ ready: false });
const ready = anInstance();
const updateRequest = { parameters: { size: 2 } };

const states: Record<string, FoundInstance | undefined> = {
  absent: undefined,
  provisioning: found(unfinished, anOperation('provision')),
  failed: found(unfinished),
  'deprovisioning, unfinished': found(unfinished, anOperation('deprovision')),
  ready: found(ready),
  updating: found(ready, anOperation('update', { confidential: { request: updateRequest } })),
  deprovisioning: found(ready, anOperation('deprovision')),
  'binding in progress': found(ready, undefined, true),
  starting: found(ready, anOperation('start')),
  stopping: found(ready, anOperation('stop')),
  restarting: found(ready, anOperation('restart')),
  'restarting, binding in progress': found(ready, anOperation('restart'), true),
};

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

test.each([
  ['absent', 'start', 'start', 'not-found', 'absent', 'not-found'],
  ['provisioning', 'same operation', 'conflict', 'busy', 'cancel, start', 'busy'],
  ['failed', 'start', 'conflict', 'not-ready', 'start', 'not-ready'],
  ['deprovisioning, unfinished', 'busy', 'conflict', 'busy', 'same operation', 'busy'],
  ['ready', 'unchanged', 'conflict', 'start', 'start', 'start'],
  ['updating', 'busy', 'conflict', 'busy', 'busy', 'busy'],
  ['deprovisioning', 'busy', 'conflict', 'busy', 'same operation', 'busy'],
  ['binding in progress', 'unchanged', 'conflict', 'busy', 'busy', 'start'],
  ['starting', 'unchanged', 'conflict', 'wait', 'cancel, start', 'wait'],
  ['stopping', 'unchanged', 'conflict', 'wait', 'cancel, start', 'wait'],
  ['restarting', 'unchanged', 'conflict', 'wait', 'cancel, start', 'wait'],
  ['restarting, binding in progress', 'unchanged', 'conflict', 'wait', 'wait', 'wait'],
])(
  'An instance that is %s: the same provision comes to %s, a different one to %s, an update to %s, a deprovision to %s and a bind to %s.',
  (state, same, different, update, deprovision, bind) => {
    const there = states[state];
    const bound: FoundBinding = there ? { found: there } : {};
    expect({
      same: word(() => decideProvision(there, toProvision())),
      different: word(() => decideProvision(there, toProvision({ parameters: { other: true } }))),
      update: word(() => decideUpdate(there, toUpdate())),
      deprovision: word(() => decideDeprovision(there, toDeprovision())),
      bind: word(() => decideBind(bound, toBind(), new Date())),
    }).toEqual({ same, different, update, deprovision, bind });
  },
);

test.each([
  ['absent', 'not-found', 'not-found', 'not-found'],
  ['provisioning', 'busy', 'busy', 'busy'],
  ['failed', 'not-ready', 'not-ready', 'not-ready'],
  ['deprovisioning, unfinished', 'busy', 'busy', 'busy'],
  ['ready', 'start', 'start', 'start'],
  ['updating', 'busy', 'busy', 'busy'],
  ['deprovisioning', 'busy', 'busy', 'busy'],
  ['binding in progress', 'busy', 'busy', 'busy'],
  ['starting', 'same operation', 'busy', 'busy'],
  ['stopping', 'busy', 'same operation', 'busy'],
  ['restarting', 'busy', 'busy', 'same operation'],
  ['restarting, binding in progress', 'busy', 'busy', 'same operation'],
])(
  'An instance that is %s: a start comes to %s, a stop to %s and a restart to %s.',
  (state, start, stop, restart) => {
    const there = states[state];
    expect({
      start: word(() => decideStartStop(there, toOperate(), 'start')),
      stop: word(() => decideStartStop(there, toOperate(), 'stop')),
      restart: word(() => decideStartStop(there, toOperate(), 'restart')),
    }).toEqual({ start, stop, restart });
  },
);

test('What is at rest is not bound, but who has been given a binding is told of it again.', () => {
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
    expect(word(() => decideProvision(states['provisioning'], toProvision(difference)))).toBe('conflict');
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
    expect(word(() => decideUpdate(states['updating'], toUpdate(request)))).toBe(expected);
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

test.each([
  ['no binding', {}, 'start', 'absent'],
  ['a ready binding', { binding: aBinding() }, 'unchanged', 'start'],
  ['a failed binding', { binding: aBinding({ ready: false }) }, 'start', 'start'],
  [
    'a bind in progress',
    { binding: aBinding({ ready: false }), operation: anOperation('bind') },
    'same operation',
    'cancel, start',
  ],
  [
    'an unbind in progress',
    { binding: aBinding(), operation: anOperation('unbind') },
    'busy',
    'same operation',
  ],
])('With %s, the same bind comes to %s and an unbind to %s.', (_what, there, bind, unbind) => {
  const bound = { found: found(ready), ...there };
  expect(word(() => decideBind(bound, toBind(), new Date()))).toBe(bind);
  expect(word(() => decideUnbind(bound, toUnbind()))).toBe(unbind);
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

test.each([
  [undefined, 'absent'],
  [states['provisioning'], 'provisioning'],
  [states['failed'], 'failed'],
  [states['ready'], 'ready'],
  [states['updating'], 'updating'],
  [states['deprovisioning'], 'deprovisioning'],
  [states['starting'], 'starting'],
  [states['stopping'], 'stopping'],
  [states['restarting'], 'restarting'],
])('State number %#: people read a word for it.', (there, expected) => {
  expect(describeState(there)).toBe(expected);
});
