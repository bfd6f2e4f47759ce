// Instances that were lost with a node that was given up: how everybody is told, and how they are made anew.
import { Failure } from '../../src/broker/errors.ts';
import { instanceKey } from '../../src/broker/key.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { ended } from './dependencies/dependent-apps.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';

const plan = aPlan({
  making: { secrets: { root: { per: 'instance', length: 20 }, password: { per: 'binding', length: 20 } } },
});
const origin = { protocol: 'operator' };
const toRecreate = { instanceId: 'i1', acceptsIncomplete: true, origin };
const sentence = expect.stringContaining('It was lost with its node');

/** `i1`, bound, was on n1, which was given up; n2 has room. */
async function aLostInstance(provision: (work: Work) => void = () => undefined) {
  const { provisioner, asked, deeds } = scripted(
    {
      provision(work) {
        provision(work);
        return { done: { facts: { at: instanceKey(work.instance) } } };
      },
      start: () => ({ done: {} }),
    },
    { local: true },
  );
  const core = coreInMemory(provisioner, [plan, aPlan({ id: 'large' })]);
  await core.beat({ name: 'n1' });
  const first = core.broker({ node: 'n1' });
  await first.broker.provision(toProvision({ parameters: { a: 1 }, maintenanceVersion: undefined }));
  await first.broker.bind(toBind());
  const before = await first.broker.instance('i1');
  core.pass(31_000);
  await core.beat({ name: 'n2' });
  const second = core.broker({ node: 'n2' });
  await second.broker.overview.forget({ node: 'n1', abandon: true, origin });
  return { core, broker: second.broker, work: second.work, first, before, asked, deeds };
}

describe('Of an instance that was lost with its node', () => {
  test('Platforms are told that an instance was lost with its node, at whatever they ask', async () => {
    const { broker } = await aLostInstance();
    await expect(broker.instance('i1')).rejects.toMatchObject({ code: 'not-found', message: sentence });
    await expect(broker.binding('i1', 'b1')).rejects.toMatchObject({ code: 'not-found', message: sentence });
    await expect(broker.bind(toBind({ bindingId: 'b2' }))).rejects.toMatchObject({
      code: 'not-ready',
      message: sentence,
    });
    await expect(broker.update(toUpdate())).rejects.toMatchObject({ code: 'not-ready', message: sentence });
    await expect(broker.restart(toRecreate)).rejects.toMatchObject({ code: 'not-ready', message: sentence });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'abandoned', sentence } },
    });
  });

  test('Operators see the node that an instance was lost with', async () => {
    const { broker } = await aLostInstance();
    const details = await broker.overview.instance('i1');
    const lost = { node: 'n1', at: expect.any(Date) };
    expect(details).toMatchObject({ state: 'lost', bindings: 0, instance: { lost } });
    expect(details.status).toMatchObject({ status: 'error', reason: 'it was lost with its node n1' });
  });

  test('A lost instance and its bindings can be deleted, without anything being done on a node', async () => {
    const { broker, deeds } = await aLostInstance();
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(deeds()).toEqual(['provision', 'bind']);
  });
});

describe('Making it anew', () => {
  test('A lost instance that is made anew keeps id, plan and parameters; node, names and secrets are new', async () => {
    const { broker, before, asked } = await aLostInstance();
    expect(await broker.recreate(toRecreate)).toMatchObject({ is: 'done' });
    const now = await broker.instance('i1');
    expect(now).toMatchObject({
      id: 'i1',
      planId: before.planId,
      revision: before.revision,
      organizationGuid: before.organizationGuid,
      place: { node: 'n2' },
      ready: true,
      confidential: { parameters: { a: 1 }, facts: { at: now.key } },
    });
    expect(now).not.toHaveProperty('lost');
    expect(now.key).not.toBe(before.key);
    expect(now.confidential.secrets['root']).not.toBe(before.confidential.secrets['root']);
    expect(asked.at(-1)).toMatchObject({ work: expect.not.objectContaining({ trace: expect.anything() }) });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'succeeded' },
    });
  });

  test('Making a lost instance anew leaves no binding of before: it is unbound already, and bound again with other credentials', async () => {
    const { broker, core, asked } = await aLostInstance();
    const [, bound] = asked;
    await broker.recreate(toRecreate);
    expect(await core.store.findBinding('i1', 'b1')).not.toHaveProperty('binding');
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
    const again = await broker.bind(toBind());
    expect(again).toMatchObject({ is: 'done' });
    const { binding } = asked.at(-1)?.work ?? {};
    expect(binding?.key).not.toBe(bound?.work.binding?.key);
    expect(binding?.confidential.secrets).not.toEqual(bound?.work.binding?.confidential.secrets);
  });

  test('Making a lost instance anew is one operation, however many ask, and a deletion cancels it', async () => {
    const { broker, core, work } = await aLostInstance();
    await core.nodes.drain('n2', true);
    await expect(broker.recreate(toRecreate)).rejects.toMatchObject({ code: 'invalid' });
    expect(await broker.overview.instance('i1')).toMatchObject({ state: 'lost' });
    await core.beat({ name: 'n3' });
    const [one, other] = [await broker.recreate(toRecreate), await broker.recreate(toRecreate)];
    expect(one).toMatchObject({ is: 'accepted', operation: { kind: 'provision', node: 'n3' } });
    expect(other).toMatchObject({ operation: { id: one.is === 'accepted' && one.operation.id } });
    await broker.deprovision(toDeprovision({ acceptsIncomplete: true }));
    await ended(core, [work, core.broker({ node: 'n3' }).work]);
    expect(await core.store.findInstance('i1')).toBeUndefined();
  });

  test('Making a lost instance anew that failed and was undone leaves it lost; tried again, it has another name once more', async () => {
    let fails = false;
    const { broker, core, work, asked } = await aLostInstance(() => {
      if (fails) throw new Failure('broken', 'It cannot be made.');
    });
    fails = true;
    await broker.recreate(toRecreate).catch(() => undefined);
    expect(await ended(core, [work])).toMatchObject({ state: 'failed' });
    expect(await broker.overview.instance('i1')).toMatchObject({ state: 'lost' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { failure: { sentence: 'It cannot be made.' } },
    });
    fails = false;
    expect(await broker.recreate(toRecreate)).toMatchObject({ is: 'done' });
    const names = asked
      .filter(({ deed }) => deed === 'provision')
      .map(({ work: { instance } }) => instance.key);
    expect(new Set(names).size).toBe(3);
  });

  test('Making an instance anew is refused for what was not lost', async () => {
    const { broker } = await aLostInstance();
    await broker.recreate(toRecreate);
    await expect(broker.recreate(toRecreate)).rejects.toMatchObject({ code: 'conflict' });
    await expect(broker.recreate({ ...toRecreate, instanceId: 'i9' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('Making a lost instance anew is also what the platform gets that asks for the same id once more', async () => {
    const { broker, before } = await aLostInstance();
    const outcome = await broker.provision(toProvision({ parameters: { a: 1 } }));
    expect(outcome).toMatchObject({ is: 'done', record: { place: { node: 'n2' } } });
    expect((await broker.instance('i1')).key).not.toBe(before.key);
  });
});

test('An id that was deleted and is used again is another life: nothing has the name of before.', async () => {
  const { provisioner, asked } = scripted({});
  const { broker } = coreInMemory(provisioner).broker();
  for (const _time of [1, 2]) {
    await broker.provision(toProvision());
    await broker.bind(toBind());
    await broker.bind(toBind({ bindingId: 'b2' }));
    await broker.unbind(toUnbind());
    await broker.bind(toBind());
    await broker.unbind(toUnbind());
    await broker.unbind(toUnbind({ bindingId: 'b2' }));
    await broker.deprovision(toDeprovision());
  }
  const made = asked.filter(({ deed }) => deed === 'provision').map(({ work }) => work.instance.key);
  const bound = asked.filter(({ deed }) => deed === 'bind').map(({ work }) => work.binding?.key);
  expect([new Set(made).size, new Set(bound).size]).toEqual([2, 6]);
});

test('What is tried again after a failure goes on under the name that the broken attempt has used.', async () => {
  let tries = 0;
  const { provisioner, asked } = scripted({
    provision() {
      tries += 1;
      if (tries < 3) throw new Error('It breaks.');
      return { done: {} };
    },
  });
  const core = coreInMemory(provisioner);
  const { broker, work } = core.broker();
  await broker.provision(toProvision({ acceptsIncomplete: true }));
  await ended(core, [work]);
  expect(asked.length).toBeGreaterThan(2);
  expect(new Set(asked.map(({ work: { instance } }) => instance.key)).size).toBe(1);
});
