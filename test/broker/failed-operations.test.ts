import { Failure } from '../../src/broker/errors.ts';
import { isMistake } from '../../src/broker/operations/failures.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind } from './fixtures.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';
import { lastOf } from './last-operation.ts';

/** What is left of operations that failed, and what is told of them. */

const soon = { acceptsIncomplete: true };

describe('Failure', () => {
  test('Why a step is tried again is told without secrets, as long as it goes on so.', async () => {
    const troubles: unknown[] = [];
    const { provisioner } = scripted({
      async provision({ values, memo }) {
        const now = (await core.store.findInstance('i1'))?.operation;
        troubles.push([now?.failures, now?.trouble]);
        if (memo) return { done: {} };
        if (troubles.length === 3) return { again: { memo: 1, afterMs: 0 } };
        throw new Error(`listen with ${JSON.stringify(values['secrets'])}`);
      },
    });
    const plan = aPlan({ making: { secrets: { admin: { per: 'instance', length: 20 } } } });
    const core = coreInMemory(provisioner, [plan]);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    while (troubles.length < 4) {
      await new Promise(setImmediate);
      core.pass(4000);
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
    expect(await lastOf(core)).toMatchObject({ state: 'succeeded' });
    expect(await lastOf(core)).not.toHaveProperty('trouble');
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
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    for (let turn = 0; turn < 20; turn += 1) {
      await work.tick();
      core.pass(60_000);
    }
    const operation = await lastOf(core);
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
      const core = coreInMemory(provisioner);
      const { broker, work } = core.broker();
      await broker.provision(toProvision(soon));
      for (let turn = 0; turn < 10 && (await lastOf(core))?.state === 'in progress'; turn += 1) {
        await new Promise(setImmediate);
        core.pass(4000);
        await work.tick();
        await work.rest();
      }
      expect(deeds()).toEqual([...Array.from({ length: tries }, () => 'provision'), 'deprovision']);
      expect(await lastOf(core)).toMatchObject({
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
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision());
    await broker.deprovision(toDeprovision(soon));
    while (times < 4) {
      await new Promise(setImmediate);
      core.pass(4000);
      await work.tick();
    }
    expect(await lastOf(core)).toMatchObject({ state: 'failed', attempt: 4, failures: 3 });
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

  test('What a create had reached is known to the removal that cancelled it, and to the next one when that failed.', async () => {
    const { state, provisioner, asked } = withJobs();
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    await work.rest();
    await broker.deprovision(toDeprovision(soon));
    await work.tick();
    expect(await lastOf(core)).toMatchObject({ kind: 'deprovision', state: 'failed' });
    state.isStuck = false;
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    const removals = asked.filter(({ deed }) => deed === 'deprovision');
    expect(removals.map(({ work: { trace } }) => trace)).toEqual([{ job: 7 }, { job: 7 }]);
  });

  test('What a failed create had reached is known to the next create of the same thing, until that has ended well.', async () => {
    const { state, provisioner, asked } = withJobs();
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
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

  test('What a bind had reached is known to the unbind that cancelled it, and to the next one when that failed.', async () => {
    const { state, provisioner, asked } = withJobs();
    provisioner.provision = async () => ({ done: {} });
    provisioner.bind = async () => ({ again: { afterMs: 60_000, memo: { user: 'u7' } } });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision());
    await broker.bind(toBind(soon));
    await work.rest();
    await broker.unbind(toUnbind(soon));
    await work.tick();
    expect(await lastOf(core, 'i1', 'b1')).toMatchObject({ kind: 'unbind', state: 'failed' });
    state.isStuck = false;
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(asked.map(({ work: { trace } }) => trace)).toEqual([{ user: 'u7' }, { user: 'u7' }]);
  });
});
