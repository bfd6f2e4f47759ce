import { Failure } from '../../src/broker/errors.ts';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted } from './core-in-memory.ts';
import { lastOf } from './last-operation.ts';

/** Rules of the lifecycle that hold over several operations. */

const soon = { acceptsIncomplete: true };

describe('Intent', () => {
  test('Whatever a provisioner is asked to do is written before, and held by who asks.', async () => {
    const written: unknown[] = [];
    const look = async () => {
      const there = await core.store.findBinding('i1', 'b1');
      const { kind, state, holder } = there.operation ?? there.found?.operation ?? {};
      written.push([kind, state, holder]);
      return { done: {} };
    };
    const kinds = ['provision', 'bind', 'update', 'unbind', 'deprovision'] as const;
    const { provisioner } = scripted(Object.fromEntries(kinds.map((kind) => [kind, look])));
    const core = coreInMemory(provisioner);
    const { broker } = core.broker({ holder: 'me' });
    await broker.provision(toProvision());
    await broker.bind(toBind());
    await broker.update(toUpdate({ parameters: { a: 1 } }));
    await broker.unbind(toUnbind());
    await broker.deprovision(toDeprovision());
    expect(written).toEqual(kinds.map((kind) => [kind, 'in progress', 'me']));
  });

  test('While a request carries its operation no worker takes it, also between two steps.', async () => {
    const { provisioner, asked } = scripted({
      provision: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 60, memo: 1 } }),
    });
    const core = coreInMemory(provisioner);
    const given = core.broker().broker.provision(toProvision());
    await new Promise(setImmediate);
    expect(asked).toHaveLength(1);
    expect(await core.store.claim('worker', 1000)).toBeUndefined();
    expect(await given).toMatchObject({ is: 'done' });
    expect(asked).toHaveLength(2);
  });

  test('Of two equal updates at once one changes the instance, and both requests get the result.', async () => {
    const { provisioner, deeds } = scripted({
      update: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 5, memo: 1 } }),
    });
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    const request = toUpdate({ parameters: { a: 1 } });
    const outcomes = await Promise.all([broker.update(request), broker.update(request)]);
    expect(outcomes.map(({ is }) => is)).toEqual(['done', 'unchanged']);
    expect(deeds()).toEqual(['provision', 'update', 'update']);
  });
});

describe('History', () => {
  test('The history of an instance outlives it, and is cleared when it is old enough.', async () => {
    const { provisioner } = scripted({
      provision() {
        throw new Failure('quota', 'There is no room.');
      },
    });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker({ retention: 86_400_000 });
    await broker.provision(toProvision()).catch(() => undefined);
    const operationId = (await lastOf(core))?.id ?? '';
    await broker.deprovision(toDeprovision());
    const told = () => broker.lastOperation({ instanceId: 'i1', operationId });
    await work.tick();
    expect(await told()).toMatchObject({ operation: { failure: { word: 'quota' } } });
    core.pass(86_400_001);
    await work.tick();
    expect(await told()).toBe('absent');
  });

  test('The history is cleared once an hour, not at every look.', async () => {
    const core = coreInMemory(scripted({}).provisioner);
    const { work } = core.broker({ retention: 1000 });
    const prunings: number[] = [];
    core.store.prune = async (olderThanMs) => prunings.push(olderThanMs);
    await work.tick();
    await work.tick();
    expect(prunings).toEqual([1000]);
    core.pass(3_600_000);
    await work.tick();
    expect(prunings).toEqual([1000, 1000]);
  });
});

describe('Cancelling', () => {
  test('An unbind ends a running bind, and removes what it made after its last step has ended.', async () => {
    const mayEnd = gate();
    const order: string[] = [];
    const { provisioner } = scripted({
      async bind({ signal }) {
        await Promise.all([mayEnd.passed, untilAborted(signal).catch(() => undefined)]);
        order.push('made');
        return { done: {} };
      },
      unbind() {
        order.push('removed');
        return { done: {} };
      },
    });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision());
    await broker.bind(toBind(soon));
    expect(await broker.unbind(toUnbind(soon))).toMatchObject({ is: 'accepted' });
    expect(await work.tick()).toBeGreaterThan(0);
    mayEnd.open();
    while (order.length < 2) {
      await work.tick();
      await new Promise(setImmediate);
    }
    expect(order).toEqual(['made', 'removed']);
    expect(await broker.lastOperation({ instanceId: 'i1', bindingId: 'b1' })).toBe('gone');
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('The id of a failed create is free for something else once it is deleted.', async () => {
    let times = 0;
    const { provisioner } = scripted({
      provision() {
        if (++times === 1) throw new Failure('quota', 'There is no room.');
        return { done: {} };
      },
    });
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision()).catch(() => undefined);
    const different = toProvision({ parameters: { other: 1 } });
    await expect(broker.provision(different)).rejects.toMatchObject({ code: 'conflict' });
    await broker.deprovision(toDeprovision());
    expect(await broker.provision(different)).toMatchObject({ is: 'done' });
  });
});

describe('Fetching', () => {
  const stuck = { again: { afterMs: 60_000, memo: 1 } };

  test.each([
    ['that is being made is not there', 'provision', { code: 'not-found' }],
    ['that is being updated is busy', 'update', { code: 'busy' }],
    ['that is being removed is told', 'deprovision', { id: 'i1', ready: true }],
  ] as const)('An instance %s.', async (_title, kind, expected) => {
    const { broker } = coreInMemory(scripted({ [kind]: () => stuck }).provisioner).broker({
      asyncPatience: 0,
    });
    await broker.provision(toProvision(soon));
    if (kind === 'update') await broker.update(toUpdate({ parameters: { a: 1 }, ...soon }));
    if (kind === 'deprovision') await broker.deprovision(toDeprovision(soon));
    const fetched = await broker.instance('i1').catch((error: unknown) => error);
    expect(fetched).toMatchObject(expected);
  });

  test.each([
    ['that is being made is not there', 'bind', { code: 'not-found' }],
    ['that is being removed is told', 'unbind', { id: 'b1', ready: true }],
  ] as const)('A binding %s.', async (_title, kind, expected) => {
    const { broker } = coreInMemory(scripted({ [kind]: () => stuck }).provisioner).broker();
    await broker.provision(toProvision());
    await broker.bind(toBind(soon));
    if (kind === 'unbind') await broker.unbind(toUnbind(soon));
    const fetched = await broker.binding('i1', 'b1').catch((error: unknown) => error);
    expect(fetched).toMatchObject(expected);
  });
});

describe('Plan revisions', () => {
  test('A plan that left the catalog serves its instances on: binds, updates, unbinds and deprovisions.', async () => {
    const plans: ServicePlan[] = [aPlan()];
    const { provisioner, deeds } = scripted({});
    const core = coreInMemory(provisioner, plans);
    const { broker } = core.broker();
    await core.store.saveRevisions(plans);
    await broker.provision(toProvision());
    plans.length = 0;
    await expect(broker.provision(toProvision({ instanceId: 'i2' }))).rejects.toMatchObject({
      code: 'invalid',
    });
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
    expect(await broker.bind(toBind())).toMatchObject({ is: 'done' });
    expect(await broker.update(toUpdate({ parameters: { a: 1 } }))).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(deeds()).toEqual(['provision', 'bind', 'update', 'unbind', 'deprovision']);
  });

  test('An instance stays with the plan as it was until an update makes something; a new name is not that.', async () => {
    const plans: ServicePlan[] = [aPlan()];
    const { provisioner, asked } = scripted({});
    const core = coreInMemory(provisioner, plans);
    const { broker } = core.broker();
    await core.store.saveRevisions(plans);
    await broker.provision(toProvision());
    plans[0] = aPlan({ revision: 'small-2' });
    await broker.update(toUpdate({ context: { instance_name: 'renamed' } }));
    expect(await broker.instance('i1')).toMatchObject({ revision: 'small-1' });
    await broker.update(toUpdate({ parameters: { a: 1 } }));
    expect(await broker.instance('i1')).toMatchObject({ revision: 'small-2' });
    expect(asked.at(-1)?.work.plan.revision).toBe('small-2');
  });

  test('What a plan makes while its operation goes on is that which it began with, whatever the catalog says by then.', async () => {
    const plans: ServicePlan[] = [aPlan()];
    const { provisioner, asked } = scripted({
      provision: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 60_000, memo: 1 } }),
    });
    const core = coreInMemory(provisioner, plans);
    const { broker, work } = core.broker();
    await core.store.saveRevisions(plans);
    await broker.provision(toProvision(soon));
    await new Promise(setImmediate);
    plans[0] = aPlan({ revision: 'small-2', definition: { id: 'small', newer: true } });
    const looked: string[] = [];
    const store = { ...core.store };
    core.store.findRevision = (revision) => (looked.push(revision), store.findRevision(revision));
    core.pass(60_000);
    await work.tick();
    expect(asked).toHaveLength(2);
    expect(looked).toEqual(['small-1']);
    expect(await broker.instance('i1')).toMatchObject({ ready: true, revision: 'small-1' });
  });
});
