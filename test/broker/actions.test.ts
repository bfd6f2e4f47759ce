import type { PlanAction } from '../../src/broker/catalog.ts';
import type { Act } from '../../src/broker/commands.ts';
import { Failure } from '../../src/broker/errors.ts';
import { memberOf } from '../../src/broker/json.ts';
import type { Made, Provisioner, Step, Work } from '../../src/broker/provisioner.ts';
import { until } from '../support/until.ts';
import { coreInMemory, gate, scripted, untilAborted } from './core-in-memory.ts';
import { aPlan, toProvision } from './fixtures.ts';

/** What an offering declares is done as an operation, by a provisioner that says what a test tells it. */

const flush: PlanAction = {
  description: 'All is gone',
  check: (given) => ('password' in given ? undefined : "The parameter 'password' is missing."),
  defaults: { depth: 1 },
};
const plan = aPlan({ actions: { flush } });

function begin(act: (work: Work) => Promise<Step<Made>> | Step<Made>) {
  const asked: Work[] = [];
  const acting: Provisioner = {
    ...scripted({}).provisioner,
    async act(work) {
      asked.push(work);
      return act(work);
    },
  };
  const core = coreInMemory(acting, [plan]);
  return { core, asked, ...core.broker() };
}

const command: Act = {
  instanceId: toProvision().instanceId,
  action: 'flush',
  parameters: { password: 'the-word-of-the-owner' },
  origin: { protocol: 'operator', principal: 'ops' },
  acceptsIncomplete: false,
};
const done = { done: {}, did: { step: 'flush' } };

test('An action is done with what was said and what the offering has for the rest, and its operation tells which one it was.', async () => {
  const { broker, asked, core } = begin(() => ({ done: { facts: { outputs: { action: { n: 2 } } } } }));
  await broker.provision(toProvision());
  expect(await broker.act(command)).toMatchObject({ is: 'done' });
  expect(asked[0]).toMatchObject({
    action: 'flush',
    values: { asked: { name: 'flush', parameters: { password: 'the-word-of-the-owner', depth: 1 } } },
  });
  const { operations } = await broker.overview.operations({ limit: 1 });
  expect(operations[0]).toMatchObject({ kind: 'action', action: 'flush', state: 'succeeded' });
  expect(await core.store.findInstance(command.instanceId)).toMatchObject({
    instance: { ready: true, confidential: { facts: { outputs: { action: { n: 2 } } } } },
  });
});

test('An action that the plan does not have, or parameters that it does not allow, are refused by name, and nothing is written.', async () => {
  const { broker, asked } = begin(() => done);
  await expect(broker.act(command)).rejects.toMatchObject({ code: 'not-found' });
  await broker.provision(toProvision());
  await expect(broker.act({ ...command, action: 'melt' })).rejects.toThrow(
    "no action 'melt'. There are: flush.",
  );
  await expect(broker.act({ ...command, action: 'toString' })).rejects.toMatchObject({ code: 'not-found' });
  await expect(broker.act({ ...command, parameters: {} })).rejects.toMatchObject({
    code: 'invalid',
    message: "The parameter 'password' is missing.",
    field: 'parameters',
  });
  expect(asked).toEqual([]);
  const { operations } = await broker.overview.operations({ limit: 9 });
  expect(operations.map(({ kind }) => kind)).toEqual(['provision']);
});

test('An action asked for twice at once is done once, and anything else has to wait until it has ended, but for a deletion.', async () => {
  const { open, passed } = gate();
  const { broker, asked } = begin(async ({ signal }) => {
    await Promise.race([passed, untilAborted(signal)]);
    return done;
  });
  await broker.provision(toProvision());
  const both = [broker.act(command), broker.act(command)];
  await until('it has begun', () => asked.length === 1);
  const other = { ...command, parameters: { password: 'another-word' } };
  await expect(broker.act(other)).rejects.toMatchObject({ code: 'busy' });
  await expect(broker.restart(command)).rejects.toMatchObject({ code: 'busy' });
  open();
  expect(await Promise.all(both)).toMatchObject([{ is: 'done' }, { is: 'done' }]);
  expect(asked).toHaveLength(1);
});

test('What has failed is retried with the parameters that were given, which nobody is told, and cannot be once another one was asked for.', async () => {
  let fails = true;
  const { broker, asked, core } = begin(() => {
    if (fails) throw new Failure('hook', 'It does not know the-word-of-the-owner.');
    return done;
  });
  await broker.provision(toProvision());
  await expect(broker.act(command)).rejects.toMatchObject({ message: 'It does not know ***.' });
  const [failed] = (await broker.overview.operations({ limit: 1 })).operations;
  const retry = { operationId: failed?.id ?? '', origin: command.origin };
  expect(await broker.overview.operations({ limit: 1 })).toMatchObject({ operations: [{ state: 'failed' }] });
  fails = false;
  expect(await broker.retryOperation(retry)).toMatchObject({ is: 'done' });
  expect(asked.map(({ values }) => values['asked'])).toEqual([
    asked[0]?.values['asked'],
    asked[0]?.values['asked'],
  ]);
  expect(JSON.stringify(core.events)).not.toContain('the-word');
  await expect(broker.retryOperation(retry)).rejects.toMatchObject({ code: 'conflict' });
  expect(asked).toHaveLength(2);
});

test('An action that is cancelled ends as failed, and its instance is as usable as before.', async () => {
  const { broker, asked } = begin(({ signal }) => untilAborted(signal));
  await broker.provision(toProvision());
  const begun = await broker.act({ ...command, acceptsIncomplete: true });
  if (begun.is !== 'accepted') throw new Error('It has ended already.');
  await until('it has begun', () => asked.length > 0);
  await broker.cancelOperation({ operationId: begun.operation.id, origin: command.origin });
  await until('it has ended', async () => (await broker.operation(begun.operation.id)).state === 'failed');
  expect(await broker.instance(command.instanceId)).toMatchObject({ ready: true });
});

test('A broker that takes over from one that died in the middle of an action does it with the same parameters.', async () => {
  const { core, broker, asked } = begin(({ signal }) => (core.passed() > 0 ? done : untilAborted(signal)));
  await broker.provision(toProvision());
  const begun = await broker.act({ ...command, acceptsIncomplete: true });
  if (begun.is !== 'accepted') throw new Error('It has ended already.');
  core.pass(60_000);
  const other = core.broker();
  await until('it is done', async () => {
    await other.work.tick();
    return (await other.broker.operation(begun.operation.id)).state === 'succeeded';
  });
  expect(asked.at(-1)?.values['asked']).toEqual(asked[0]?.values['asked']);
  expect(await other.broker.overview.instance(command.instanceId)).toMatchObject({
    actions: { flush: { description: 'All is gone' } },
    operations: [{ operation: { action: 'flush' }, timeline: [{ step: 'flush' }] }, {}],
  });
});

const renew: PlanAction = { check: () => undefined, defaults: {}, renews: ['admin'] };
const secret = aPlan({
  making: { secrets: { admin: { per: 'instance', length: 20 } } },
  actions: { renew, flush },
});

test('A secret that an action renews is the same at each try, and that of the instance only when it has ended well.', async () => {
  let fails = true;
  const seen: [former: unknown, now: unknown][] = [];
  const acting: Provisioner = {
    ...scripted({}).provisioner,
    async act({ values }) {
      const now = memberOf(values, 'secrets')['admin'];
      seen.push([memberOf(values['asked'], 'former')['admin'], now]);
      if (fails) throw new Failure('hook', `It does not take ${JSON.stringify(now)}.`);
      return done;
    },
  };
  const core = coreInMemory(acting, [secret]);
  const { broker } = core.broker();
  await broker.provision(toProvision());
  const admin = async () => (await core.store.findInstance('i1'))?.instance.confidential.secrets['admin'];
  const before = await admin();
  const asked = { ...command, action: 'renew', parameters: {} };
  await expect(broker.act(asked)).rejects.toMatchObject({ message: 'It does not take "***".' });
  expect(await admin()).toBe(before);
  fails = false;
  await broker.act({ ...command });
  await broker.act(asked);
  const after = await admin();
  expect(after).not.toBe(before);
  expect(seen).toEqual([
    [before, after],
    [undefined, before],
    [before, after],
  ]);
  await broker.act(asked);
  expect(seen.at(-1)?.[0]).toBe(after);
  expect(await admin()).not.toBe(after);
});
