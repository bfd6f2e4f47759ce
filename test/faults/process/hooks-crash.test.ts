// The broker is killed after each step of an instance that hooks make, and after each of its removal; another one goes on.
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { fates, killAtEach, openStepGate, type StepGate } from '../step-gate.ts';
import { openOneNode, pathOf, type Maker, type OneNode } from './one-node.ts';

const steps = ['init', 'prepare', 'configure', 'start', 'check_up', 'once_ready'];
const removal = ['stop', 'remove', 'clear'];
const cases = fates.flatMap((fate) =>
  steps.map((step, index) => ({
    fate,
    step,
    number: index + 1,
    id: `noted-${fates.indexOf(fate)}-${index + 1}`,
  })),
);

const ledger = scratchDirectory('ledger');
chmodSync(ledger, 0o777);
const of = { offering: 'noted', plan: 'small' };
const hook = (name: string, more: object = {}) => [
  name,
  { run: [`./hooks/noted/${name === 'check_up' ? 'up' : 'note'}`, '{{instance.key}}'], ...more },
];
const offering = {
  id: 'noted',
  name: 'noted',
  description: 'Hooks that write down that they ran',
  plan_updateable: true,
  provisioner: 'command',
  hooks: Object.fromEntries([
    ...['init', 'prepare', 'configure', 'start'].map((name) => hook(name, { once: true })),
    ...['once_ready', 'check_up', 'stop', 'remove'].map((name) => hook(name)),
  ]),
  credentials: { key: '{{instance.key}}' },
  plans: [{ id: 'noted-small', name: 'small', description: 'One' }],
};

// However slow the machine is, it has its operations, and waits for its answers, until it is killed.
const env = { DATABASE_POOL: '40', LEASE: '15s', SYNC_PATIENCE: '10m' };
const start = () => oneNode.start(env);
let oneNode: OneNode;
let gate: StepGate;
let next: Maker;
beforeAll(async () => {
  const note = `echo "$PURVEYOR_ACTION" >> "${ledger}/$1"`;
  // It is up from its start until it is stopped.
  const up = `grep -qx start "${ledger}/$1" && ! grep -qx stop "${ledger}/$1"`;
  oneNode = await openOneNode([offering], { 'noted/note': note, 'noted/up': up });
  next = await start();
  gate = await openStepGate(oneNode.database);
  next = await killAtEach(gate, cases, ({ id }) => next.provision(id, of), next, start);
});
afterAll(async () => {
  await gate.close();
  await oneNode.close();
});

/** @param key of the instance */
function ran(key: string): readonly string[] {
  const file = join(ledger, key);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

test.each(cases)(
  'Killed when step $number of its hooks, $step, was $fate: it is made, and each hook ran once.',
  async ({ id }) => {
    const state = await until('its provision has ended', async () => {
      const { body } = await next.ask('GET', `${pathOf(id)}/last_operation`);
      return body['state'] !== 'in progress' && body['state'];
    });
    const { key, operations } = await next.details(id);
    expect([state, operations[0]?.timeline.map(({ step }) => step)]).toEqual(['succeeded', steps]);
    expect(ran(key)).toEqual(steps.filter((step) => step !== 'check_up'));
    expect((await next.provision(id, of)).status).toBe(200);
  },
);

test('Killed at each step of the removal by hooks, another broker ends it, and nothing is left.', async () => {
  const some = cases.filter(({ number }) => number <= removal.length);
  const keys = await Promise.all(some.map(async ({ id }) => (await next.details(id)).key));
  next = await killAtEach(gate, some, ({ id }) => next.deprovision(id, of), next, start);
  await until('all are gone', async () => {
    const { body } = await next.operate('GET', '/instances');
    const left = (body['instances'] as readonly { readonly id: string }[]).map(({ id }) => id);
    return !some.some(({ id }) => left.includes(id));
  });
  for (const key of keys)
    expect(new Set(ran(key).slice(steps.length - 1))).toEqual(new Set(['stop', 'remove']));
  const rest = cases.filter((one) => !some.includes(one));
  const removed = await Promise.all(rest.map(({ id }) => next.deprovision(id, of)));
  expect(removed.map(({ status }) => status)).toEqual(rest.map(() => 200));
  expect(oneNode.keys('command')).toEqual([]);
});
