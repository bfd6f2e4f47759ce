import { Failure } from '../../src/broker/errors.ts';
import { isMistake } from '../../src/broker/operations/mistake.ts';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import type { Operation } from '../../src/broker/records.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { aWorld, gate, scripted, untilAborted, type World } from './core-in-memory.ts';

/** Rules of the lifecycle that hold over several operations. */

const soon = { acceptsIncomplete: true };

async function lastOf(world: World, bindingId?: string): Promise<Operation | undefined> {
  const query = { instanceId: 'i1', ...(bindingId === undefined ? {} : { bindingId }) };
  return (await world.store.lastOperation(query)).operation;
}

describe('Intent', () => {
  test('Whatever a provisioner is asked to do is written before, and held by who asks.', async () => {
    const written: unknown[] = [];
    const look = async () => {
      const there = await world.store.findBinding('i1', 'b1');
      const { kind, state, holder } = there.operation ?? there.found?.operation ?? {};
      written.push([kind, state, holder]);
      return { done: {} };
    };
    const kinds = ['provision', 'bind', 'update', 'unbind', 'deprovision'] as const;
    const { provisioner } = scripted(Object.fromEntries(kinds.map((kind) => [kind, look])));
    const world = aWorld(provisioner);
    const { broker } = world.broker({ holder: 'me' });
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
    const world = aWorld(provisioner);
    const given = world.broker().broker.provision(toProvision());
    await new Promise(setImmediate);
    expect(asked).toHaveLength(1);
    expect(await world.store.claim('worker', 1000)).toBeUndefined();
    expect(await given).toMatchObject({ is: 'done' });
    expect(asked).toHaveLength(2);
  });

  test('Of two equal updates at once one changes the instance, and both requests get the result.', async () => {
    const { provisioner, deeds } = scripted({
      update: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 5, memo: 1 } }),
    });
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision());
    const request = toUpdate({ parameters: { a: 1 } });
    const outcomes = await Promise.all([broker.update(request), broker.update(request)]);
    expect(outcomes.map(({ is }) => is)).toEqual(['done', 'unchanged']);
    expect(deeds()).toEqual(['provision', 'update', 'update']);
  });
});

describe('Failure', () => {
  test('Why a step is tried again is told without secrets, as long as it goes on so.', async () => {
    const troubles: unknown[] = [];
    const { provisioner } = scripted({
      async provision({ values, memo }) {
        const now = (await world.store.findInstance('i1'))?.operation;
        troubles.push([now?.failures, now?.trouble]);
        if (memo) return { done: {} };
        if (troubles.length === 3) return { again: { memo: 1, afterMs: 0 } };
        throw new Error(`listen with ${JSON.stringify(values['secrets'])}`);
      },
    });
    const plan = aPlan({ making: { secrets: { admin: { per: 'instance', length: 20 } } } });
    const world = aWorld(provisioner, [plan]);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    while (troubles.length < 4) {
      await new Promise(setImmediate);
      world.pass(4000);
      await work.tick();
    }
    await work.rest();
    const trouble = 'Error: listen with {"admin":"***"}';
    expect(troubles).toEqual([
      [0, undefined],
      [1, trouble],
      [2, trouble],
      [0, undefined],
    ]);
    expect(await lastOf(world)).toMatchObject({ state: 'succeeded' });
    expect(await lastOf(world)).not.toHaveProperty('trouble');
  });

  test('What could not be undone in time has failed as it did first; the operator is told of both.', async () => {
    const { provisioner } = scripted({
      provision() {
        throw new Failure('quota', 'There is no room.', { detail: 'disk full' });
      },
      deprovision() {
        throw new Error('connection refused');
      },
    });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    for (let turn = 0; turn < 20; turn += 1) {
      await work.tick();
      world.pass(60_000);
    }
    const operation = await lastOf(world);
    expect(operation).toMatchObject({
      state: 'failed',
      failure: { word: 'quota', sentence: 'There is no room.' },
    });
    expect(operation?.failure?.detail).toBe('disk full Undoing it failed too: Error: connection refused');
    await expect(broker.instance('i1')).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each<[what: string, error: () => unknown, tries: number]>([
    ['a TypeError', () => (undefined as unknown as string).length, 3],
    ['a RangeError', () => 'x'.repeat(-1), 3],
    ['an address that cannot be one', () => new URL('nowhere').href, 3],
  ])(
    'A step with a mistake of ours (%s) is tried a few times, undone and told.',
    async (_what, err, tries) => {
      const { provisioner, deeds } = scripted({
        provision() {
          err();
          return { done: {} };
        },
      });
      const world = aWorld(provisioner);
      const { broker, work } = world.broker();
      await broker.provision(toProvision(soon));
      for (let turn = 0; turn < 10 && (await lastOf(world))?.state === 'in progress'; turn += 1) {
        await new Promise(setImmediate);
        world.pass(4000);
        await work.tick();
        await work.rest();
      }
      expect(deeds()).toEqual([...Array.from({ length: tries }, () => 'provision'), 'deprovision']);
      expect(await lastOf(world)).toMatchObject({
        state: 'failed',
        failure: {
          word: 'mistake',
          sentence: 'The broker made a mistake of its own. Ask the operator of the broker.',
          detail: expect.stringMatching(/^(?:Type|Range|Reference)Error: ./),
        },
      });
    },
  );

  test('A connection that fetch could not make is no mistake of ours.', () => {
    const refused = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    expect([refused, new Error('x'), new SyntaxError('x'), 'x', new TypeError('x')].map(isMistake)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  test('How often an operation was taken up stands in its row.', async () => {
    let times = 0;
    const { provisioner } = scripted({
      deprovision() {
        if (++times <= 3) throw new Error('connection refused');
        throw new Failure('stuck', 'It cannot be removed.');
      },
    });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision());
    await broker.deprovision(toDeprovision(soon));
    while (times < 4) {
      await new Promise(setImmediate);
      world.pass(4000);
      await work.tick();
    }
    expect(await lastOf(world)).toMatchObject({ state: 'failed', attempt: 4, failures: 3 });
  });
});

describe('What a create had reached', () => {
  /** Creates that wait for a job, and removals that fail as long as they are stuck. */
  function withJobs() {
    const state = { isStuck: true };
    const create = ({ memo }: Work) => ({ again: { afterMs: 60_000, memo: memo ?? { job: 7 } } });
    const remove = () => {
      if (state.isStuck) throw new Failure('stuck', 'It cannot be removed.');
      return { done: {} };
    };
    return { state, ...scripted({ provision: create, deprovision: remove, unbind: remove }) };
  }

  test('It is known to the removal that cancelled it, and to the next one when that failed.', async () => {
    const { state, provisioner, asked } = withJobs();
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    await work.rest();
    await broker.deprovision(toDeprovision(soon));
    await work.tick();
    expect(await lastOf(world)).toMatchObject({ kind: 'deprovision', state: 'failed' });
    state.isStuck = false;
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    const removals = asked.filter(({ deed }) => deed === 'deprovision');
    expect(removals.map(({ work: { trace } }) => trace)).toEqual([{ job: 7 }, { job: 7 }]);
  });

  test('It is known to the next create of the same thing, until that has ended well.', async () => {
    const { state, provisioner, asked } = withJobs();
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    await work.rest();
    await broker.deprovision(toDeprovision(soon));
    await work.tick();
    state.isStuck = false;
    provisioner.provision = async (given) => {
      asked.push({ deed: 'provision', work: given });
      return { done: {} };
    };
    await broker.provision(toProvision());
    expect(asked.at(-1)?.work).toMatchObject({ trace: { job: 7 } });
    await broker.deprovision(toDeprovision());
    expect(asked.at(-1)).toMatchObject({ work: expect.not.objectContaining({ trace: expect.anything() }) });
  });

  test('So it is with bindings.', async () => {
    const { state, provisioner, asked } = withJobs();
    provisioner.provision = async () => ({ done: {} });
    provisioner.bind = async () => ({ again: { afterMs: 60_000, memo: { user: 'u7' } } });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision());
    await broker.bind(toBind(soon));
    await work.rest();
    await broker.unbind(toUnbind(soon));
    await work.tick();
    expect(await lastOf(world, 'b1')).toMatchObject({ kind: 'unbind', state: 'failed' });
    state.isStuck = false;
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(asked.map(({ work: { trace } }) => trace)).toEqual([{ user: 'u7' }, { user: 'u7' }]);
  });
});

describe('History', () => {
  test('It outlives the instance, and is cleared when it is old enough.', async () => {
    const { provisioner } = scripted({
      provision() {
        throw new Failure('quota', 'There is no room.');
      },
    });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker({ retention: 86_400_000 });
    await broker.provision(toProvision()).catch(() => undefined);
    const operationId = (await lastOf(world))?.id ?? '';
    await broker.deprovision(toDeprovision());
    const told = () => broker.lastOperation({ instanceId: 'i1', operationId });
    await work.tick();
    expect(await told()).toMatchObject({ operation: { failure: { word: 'quota' } } });
    world.pass(86_400_001);
    await work.tick();
    expect(await told()).toBe('absent');
  });

  test('It is cleared once an hour, not at every look.', async () => {
    const world = aWorld(scripted({}).provisioner);
    const { work } = world.broker({ retention: 1000 });
    const prunings: number[] = [];
    world.store.prune = async (olderThanMs) => prunings.push(olderThanMs);
    await work.tick();
    await work.tick();
    expect(prunings).toEqual([1000]);
    world.pass(3_600_000);
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
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
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
    const { broker } = aWorld(provisioner).broker();
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
    const { broker } = aWorld(scripted({ [kind]: () => stuck }).provisioner).broker({ asyncPatience: 0 });
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
    const { broker } = aWorld(scripted({ [kind]: () => stuck }).provisioner).broker();
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
    const world = aWorld(provisioner, plans);
    const { broker } = world.broker();
    await world.store.saveRevisions(plans);
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
    const world = aWorld(provisioner, plans);
    const { broker } = world.broker();
    await world.store.saveRevisions(plans);
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
    const world = aWorld(provisioner, plans);
    const { broker, work } = world.broker();
    await world.store.saveRevisions(plans);
    await broker.provision(toProvision(soon));
    await new Promise(setImmediate);
    plans[0] = aPlan({ revision: 'small-2', definition: { id: 'small', newer: true } });
    const looked: string[] = [];
    const store = { ...world.store };
    world.store.findRevision = (revision) => (looked.push(revision), store.findRevision(revision));
    world.pass(60_000);
    await work.tick();
    expect(asked).toHaveLength(2);
    expect(looked).toEqual(['small-1']);
    expect(await broker.instance('i1')).toMatchObject({ ready: true, revision: 'small-1' });
  });
});
