import { Failure } from '../../../src/broker/errors.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { aPlan, toBind, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted, type CoreInMemory } from '../core-in-memory.ts';

/** Bindings whose time is over are revoked by the broker itself, whatever hinders it with one of them. */

const plan = aPlan({ making: { answer: { bindingLifetime: { expiresAfter: 60 } } } });

/** A broker with these bindings, all past their time. */
async function withExpired(core: CoreInMemory, ids: readonly string[], settings = {}) {
  const made = core.broker(settings);
  await made.broker.provision(toProvision());
  for (const bindingId of ids) await made.broker.bind(toBind({ bindingId }));
  core.pass(60_000);
  return made;
}

async function turns(take: () => Promise<unknown>, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await take();
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `stuck-${index}`);
}

function stuck({ binding }: Work): { done: object } {
  if (binding?.id.startsWith('stuck')) throw new Failure('stuck', 'It cannot be revoked now.');
  return { done: {} };
}

test('Expired bindings that cannot be revoked, however many, do not stop the others.', async () => {
  const core = coreInMemory(scripted({ unbind: stuck }).provisioner, [plan]);
  const { broker, work } = await withExpired(core, [...numbered(25), 'b1']);
  await turns(() => work.tick(), 30);
  expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
});

test('An expired binding that cannot be revoked is tried again, but not without a pause.', async () => {
  const { provisioner, deeds } = scripted({ unbind: stuck });
  const core = coreInMemory(provisioner, [plan]);
  const { work } = await withExpired(core, ['stuck']);
  const unbinds = () => deeds().filter((deed) => deed === 'unbind').length;
  await turns(() => work.tick(), 5);
  expect(unbinds()).toBe(1);
  expect(await work.tick()).toBeGreaterThan(0);
  core.pass(600_000);
  await turns(() => work.tick(), 5);
  expect(unbinds()).toBe(2);
});

test('An expired binding that the core cannot even read is told of, and does not stop the others.', async () => {
  const core = coreInMemory(scripted({}).provisioner, [plan]);
  const { broker, work } = await withExpired(core, ['unreadable', 'b1']);
  const store = { ...core.store };
  core.store.findBinding = async (instanceId, bindingId) => {
    if (bindingId === 'unreadable') throw new Error('There is no key for it.');
    return store.findBinding(instanceId, bindingId);
  };
  await turns(() => work.tick(), 3);
  expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  const troubles = core.events.filter(({ type }) => type === 'trouble');
  expect(troubles).toEqual([
    { type: 'trouble', doing: 'revoking binding unreadable', detail: 'Error: There is no key for it.' },
  ]);
});

test('Expired bindings are revoked also while there is always something due.', async () => {
  const { provisioner, deeds } = scripted({
    update: () => ({ again: { afterMs: 100, memo: 'again and again' } }),
  });
  const core = coreInMemory(provisioner, [plan]);
  const { broker, work } = await withExpired(core, ['b1'], { asyncPatience: 0 });
  await broker.provision(toProvision({ instanceId: 'i2' }));
  await broker.update(toUpdate({ instanceId: 'i2', parameters: { a: 1 }, acceptsIncomplete: true }));
  const always = () => {
    core.pass(500);
    return work.tick();
  };
  await turns(always, 4);
  expect(deeds().filter((deed) => deed === 'update').length).toBeGreaterThan(2);
  expect(deeds()).toContain('unbind');
});

test('What is due does not wait until they are revoked.', async () => {
  const slow = gate();
  let tries = 0;
  const { provisioner, deeds } = scripted({
    unbind: () => slow.passed.then(() => ({ done: {} })),
    provision: ({ instance, signal }) =>
      instance.id === 'i2' && ++tries === 1 ? untilAborted(signal) : { done: {} },
  });
  const core = coreInMemory(provisioner, [plan]);
  const { broker, work } = await withExpired(core, ['b1', 'b2'], { asyncPatience: 60_000 });
  const revoking = [await work.take(), await work.take()];
  await new Promise(setImmediate);
  expect(deeds().filter((deed) => deed === 'unbind')).toHaveLength(2);
  const leaving = core.broker({ asyncPatience: 0 });
  await leaving.broker.provision(toProvision({ instanceId: 'i2', acceptsIncomplete: true }));
  await leaving.work.handOver();
  await work.tick();
  expect(await broker.instance('i2')).toMatchObject({ ready: true });
  slow.open();
  for (const one of revoking) if ('ended' in one) await one.ended;
});

test('An expired binding that was made anew under its id meanwhile is not revoked.', async () => {
  const { provisioner } = scripted({});
  const core = coreInMemory(provisioner, [plan]);
  const { broker, work } = await withExpired(core, ['b1']);
  const store = { ...core.store };
  core.store.expired = async (limit) => {
    const found = await store.expired(limit);
    await broker.unbind(toUnbind());
    await broker.bind(toBind());
    return found;
  };
  await work.tick();
  expect(await broker.binding('i1', 'b1')).toMatchObject({ ready: true });
});

test('Nobody looks without a pause for what somebody else is just taking.', async () => {
  const core = coreInMemory(scripted({}).provisioner);
  const { work } = core.broker();
  core.store.claim = async () => undefined;
  core.store.nextDue = async () => 0;
  expect(await work.tick()).toBeGreaterThan(0);
});
