import { Failure } from '../../../src/broker/errors.ts';
import type { Provisioner } from '../../../src/broker/provisioner.ts';
import type { UnitFacts } from '../../../src/broker/units.ts';
import { aPlan, toDeprovision, toProvision, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted, wrongBy } from '../core-in-memory.ts';

const up: UnitFacts = { unit: 'redis', alive: true, answer: 'ready', address: 'h:1' };
const dead: UnitFacts = { unit: 'redis', alive: false, answer: 'unasked' };
const toOperate = { instanceId: 'i1', origin: { protocol: 'test' }, acceptsIncomplete: false };
const later = { acceptsIncomplete: true };

type Script = Parameters<typeof scripted>[0];

function withUnits(script: Script = {}, traits: Partial<Provisioner['traits']> = {}) {
  const state: { facts: readonly UnitFacts[]; looks: number } = { facts: [up], looks: 0 };
  const { provisioner } = scripted(
    {
      inspect: async () => {
        state.looks += 1;
        return state.facts;
      },
      start: () => ({ done: {} }),
      stop: () => ({ done: {} }),
      restart: () => ({ done: {} }),
      ...script,
    },
    traits,
  );
  return { state, provisioner };
}

describe('The status of an instance', () => {
  test('There is no status of an instance that nobody knows.', async () => {
    const { broker } = coreInMemory(withUnits().provisioner).broker();
    await expect(broker.status('i1')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('Before anybody could look, for want of descriptors, it is as its rows say, and not down.', async () => {
    const error = Object.assign(new Error('open EMFILE'), { code: 'EMFILE' });
    const { provisioner } = withUnits({ inspect: () => Promise.reject(error) });
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    const status = await broker.status('i1');
    expect(status).toMatchObject({ status: 'started', reason: 'it was ready when it had been made' });
    expect(status.checkedAt).toBeUndefined();
  });

  test('Before anybody has looked, it is looked at; after that it is as it was last seen.', async () => {
    const { state, provisioner } = withUnits();
    const { broker, checks } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    expect(await broker.status('i1')).toEqual({
      status: 'started',
      reason: 'it runs and answers',
      units: [
        {
          unit: 'redis',
          status: 'started',
          reason: 'it runs and answers',
          address: 'h:1',
          since: expect.any(String),
        },
      ],
      checkedAt: expect.any(String),
      addresses: ['h:1'],
      leftAlone: false,
    });
    const taken = await checks.take();
    if ('ended' in taken) await taken.ended;
    const { looks } = state;
    state.facts = [dead];
    expect(await broker.status('i1')).toMatchObject({ status: 'started', checkedAt: expect.any(String) });
    expect(state.looks).toBe(looks);
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'After a stop it is stopped at once, after a start it is started; the clock is %s.',
    async (_how, wrong) => {
      const { state, provisioner } = withUnits();
      const core = coreInMemory(provisioner);
      const { broker, checks } = core.broker({}, wrongBy(wrong, core));
      await broker.provision(toProvision());
      const taken = await checks.take();
      if ('ended' in taken) await taken.ended;
      state.facts = [dead];
      await broker.stop(toOperate);
      expect(await broker.status('i1')).toMatchObject({ status: 'stopped', reason: 'it has been stopped' });
      state.facts = [up];
      await broker.start(toOperate);
      expect(await broker.status('i1')).toMatchObject({ status: 'started' });
      const again = await checks.take();
      if ('ended' in again) await again.ended;
      const { looks } = state;
      await broker.status('i1');
      expect(state.looks).toBe(looks);
    },
  );

  test('While it is made it is building.', async () => {
    const made = gate();
    const { state, provisioner } = withUnits({
      provision: async () => made.passed.then(() => ({ done: {} })),
    });
    const { broker, work } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision(later));
    expect(await broker.status('i1')).toMatchObject({
      status: 'building',
      units: [{ unit: 'cache', status: 'building', reason: 'it is being made' }],
    });
    expect(state.looks).toBe(0);
    made.open();
    await work.rest();
    expect(await broker.status('i1')).toMatchObject({ status: 'started' });
  });

  test('While it is updated it is building.', async () => {
    const updated = gate();
    const { provisioner } = withUnits({ update: async () => updated.passed.then(() => ({ done: {} })) });
    const { broker, work } = coreInMemory(provisioner, [aPlan(), aPlan({ id: 'large' })]).broker();
    await broker.provision(toProvision());
    await broker.update(toUpdate({ planId: 'large', ...later }));
    expect(await broker.status('i1')).toMatchObject({ status: 'building', reason: 'it is being updated' });
    updated.open();
    await work.rest();
  });

  test('While it is restarted, what failed is building.', async () => {
    const restarted = gate();
    const { state, provisioner } = withUnits({
      restart: async () => restarted.passed.then(() => ({ done: {} })),
    });
    const { broker, work, checks } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    state.facts = [dead, { ...up, unit: 'web' }];
    const taken = await checks.take();
    if ('ended' in taken) await taken.ended;
    expect(await broker.status('i1')).toMatchObject({ status: 'error' });
    await broker.restart({ ...toOperate, ...later });
    expect(await broker.status('i1')).toMatchObject({
      status: 'building',
      units: [
        { unit: 'redis', status: 'building', reason: 'it is being started' },
        { unit: 'web', status: 'started' },
      ],
    });
    restarted.open();
    await work.rest();
  });

  test('While it is removed it is as it is.', async () => {
    const removed = gate();
    const { provisioner } = withUnits({
      deprovision: async () => removed.passed.then(() => ({ done: {} })),
    });
    const { broker, work } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    await broker.deprovision(toDeprovision(later));
    expect(await broker.status('i1')).toMatchObject({ status: 'started' });
    removed.open();
    await work.rest();
    await expect(broker.status('i1')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('While what was never finished is removed it is stopped, whether its provisioner can look or not.', async () => {
    const made = gate();
    const script: Script = { provision: async () => made.passed.then(() => ({ done: {} })) };
    const rests: Promise<void>[] = [];
    for (const { provisioner } of [withUnits(script), scripted(script)]) {
      const { broker, work } = coreInMemory(provisioner).broker();
      await broker.provision(toProvision(later));
      await broker.deprovision(toDeprovision(later));
      expect(await broker.status('i1')).toMatchObject({
        status: 'stopped',
        units: [{ unit: 'cache', status: 'stopped', reason: 'it is being removed' }],
      });
      rests.push(work.rest());
    }
    made.open();
    await Promise.all(rests);
  });

  test('What could not be made is told as an error.', async () => {
    const { provisioner } = withUnits({ provision: () => Promise.reject(new Failure('broken', 'No.')) });
    const { broker, work } = coreInMemory(provisioner).broker();
    await expect(broker.provision(toProvision())).rejects.toThrow('No.');
    await work.rest();
    expect(await broker.status('i1')).toMatchObject({ status: 'error', reason: 'it could not be made' });
  });

  test('Where the provisioner cannot look, what is made counts as started.', async () => {
    const { provisioner } = scripted({});
    const { broker, checks } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    expect(await broker.status('i1')).toMatchObject({
      status: 'started',
      reason: 'its provisioner cannot look',
      units: [{ unit: 'cache', status: 'started' }],
    });
    expect(await checks.take()).toEqual({ sleepMs: 1000 });
  });
});

describe('The status of an instance on a node', () => {
  async function onNode() {
    const { state, provisioner } = withUnits({}, { local: true });
    const core = coreInMemory(provisioner);
    await core.beat({ name: 'n1' });
    const { broker, checks } = core.broker({ node: 'n1' });
    await broker.provision(toProvision());
    const elsewhere = core.broker({ node: 'n2' });
    return { core, state, broker, checks, elsewhere: elsewhere.broker, othersChecks: elsewhere.checks };
  }

  test('Only its own node looks; another one tells what was last seen.', async () => {
    const { state, broker, checks, elsewhere, othersChecks } = await onNode();
    expect(await elsewhere.status('i1')).toMatchObject({
      status: 'started',
      reason: 'it was ready when it had been made',
      units: [{ unit: 'cache' }],
    });
    expect(await othersChecks.take()).toEqual({ sleepMs: 1000 });
    expect(state.looks).toBe(0);
    expect(await broker.status('i1')).toMatchObject({ status: 'started' });
    const taken = await checks.take();
    if ('ended' in taken) await taken.ended;
    expect(await elsewhere.status('i1')).toMatchObject({ status: 'started' });
  });

  test('When the node is silent, every unit is down; when it is back, they are as they are.', async () => {
    const { state, broker, checks, elsewhere, core } = await onNode();
    state.facts = [up, { ...up, unit: 'web' }];
    const taken = await checks.take();
    if ('ended' in taken) await taken.ended;
    core.pass(31_000);
    for (const one of [broker, elsewhere]) {
      const { status, units } = await one.status('i1');
      expect(status).toBe('down');
      expect(units).toMatchObject([
        { unit: 'redis', status: 'down', reason: expect.stringMatching(/^its node n1 .* since 20/) },
        { unit: 'web', status: 'down' },
      ]);
    }
    await core.beat({ name: 'n1' });
    expect(await broker.status('i1')).toMatchObject({ status: 'started' });
  });
});
