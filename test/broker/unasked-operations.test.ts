import type { Store } from '../../src/broker/store.ts';
import { aPlan, toBind, toDeprovision, toOperate, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { coreInMemory, gate, scripted } from './core-in-memory.ts';

/** Requests wait for what no platform has asked for, as no platform can know of it. */

const origin = { protocol: 'operator' };

/** An instance with a binding whose operator restarts it, until the gate is opened. */
async function restarting(settings: object = {}) {
  const mayEnd = gate();
  const script = scripted({ restart: () => mayEnd.passed.then(() => ({ done: {} })) });
  const core = coreInMemory(script.provisioner);
  const { broker, work } = core.broker({ asyncPatience: 5000, syncPatience: 5000, ...settings });
  await broker.provision(toProvision());
  await broker.bind(toBind());
  const restarted = broker.restart(toOperate({ origin })).catch((error: unknown) => error);
  while (!script.deeds().includes('restart')) await new Promise(setImmediate);
  return { ...script, broker, store: core.store, work, mayEnd, restarted };
}

async function isRemoved(store: Store): Promise<boolean> {
  return (await store.findInstance('i1'))?.operation?.kind === 'deprovision';
}

test.each([true, false])(
  'A bind, an unbind and an update wait for an operator’s restart and are done after it (accepts_incomplete %s).',
  async (acceptsIncomplete) => {
    const { broker, mayEnd, restarted, deeds } = await restarting();
    const asked = Promise.all([
      broker.bind(toBind({ bindingId: 'b2', acceptsIncomplete })),
      broker.unbind(toUnbind({ acceptsIncomplete })),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(deeds().slice(-1)).toEqual(['restart']);
    mayEnd.open();
    await restarted;
    expect(await asked).toMatchObject([{ is: 'done' }, { is: 'done' }]);
    expect(await broker.update(toUpdate({ parameters: { a: 1 }, acceptsIncomplete }))).toMatchObject({
      is: 'done',
    });
  },
);

test('An update waits for it and is done after it.', async () => {
  const { broker, mayEnd, restarted } = await restarting();
  const asked = broker.update(toUpdate({ parameters: { a: 1 } }));
  mayEnd.open();
  await restarted;
  expect(await asked).toMatchObject({ is: 'done', record: { confidential: { parameters: { a: 1 } } } });
});

test('Only as long as patience lasts: then the same request helps later, which it is told.', async () => {
  const { broker, mayEnd, restarted } = await restarting({ asyncPatience: 50, syncPatience: 50 });
  const later = {
    code: 'occupied',
    message:
      'The service instance is being looked after by those who run it (restart). Try again in a moment.',
  };
  for (const acceptsIncomplete of [true, false]) {
    await expect(broker.bind(toBind({ bindingId: 'b2', acceptsIncomplete }))).rejects.toMatchObject(later);
  }
  mayEnd.open();
  await restarted;
});

test('A deprovision does not wait for it: it ends it.', async () => {
  const { broker, store, work, mayEnd, restarted } = await restarting();
  const removed = broker.deprovision(toDeprovision());
  while (!(await isRemoved(store))) await new Promise(setImmediate);
  mayEnd.open();
  expect(await restarted).toMatchObject({ code: 'busy' });
  while (await broker.instance('i1').catch(() => undefined)) await work.tick();
  expect(await removed).toMatchObject({ is: 'done' });
});

test('What a platform has asked for is told as that at once, also to who would wait.', async () => {
  const mayEnd = gate();
  const script = scripted({ update: () => mayEnd.passed.then(() => ({ done: {} })) });
  const { broker } = coreInMemory(script.provisioner).broker({ syncPatience: 5000 });
  await broker.provision(toProvision());
  const updated = broker.update(toUpdate({ parameters: { a: 1 } }));
  while (!script.deeds().includes('update')) await new Promise(setImmediate);
  await expect(broker.bind(toBind())).rejects.toMatchObject({ code: 'busy' });
  mayEnd.open();
  await updated;
});

describe('The removal of an expired binding', () => {
  const fleeting = aPlan({ making: { answer: { bindingLifetime: { expiresAfter: 60 } } } });

  /** One that is being removed until the gate is opened; `b2` is there beside it. */
  async function expiring(settings: object = {}) {
    const mayEnd = gate();
    const script = scripted({ unbind: () => mayEnd.passed.then(() => ({ done: {} })) });
    const core = coreInMemory(script.provisioner, [fleeting]);
    const { broker, work } = core.broker({ asyncPatience: 5000, syncPatience: 5000, ...settings });
    await broker.provision(toProvision());
    await broker.bind(toBind());
    core.pass(60_000);
    await broker.bind(toBind({ bindingId: 'b2' }));
    const taken = await work.take();
    while (!script.deeds().includes('unbind')) await new Promise(setImmediate);
    return { ...script, broker, mayEnd, taken };
  }

  test.each([
    ['A deprovision', true],
    ['A deprovision', false],
    ['An update', true],
    ['An update', false],
  ] as const)(
    '%s waits for the broker’s own removal of an expired binding, and is done after it (accepts_incomplete %s).',
    async (what, acceptsIncomplete) => {
      const { broker, mayEnd, deeds } = await expiring();
      const asked =
        what === 'An update'
          ? broker.update(toUpdate({ parameters: { a: 1 }, acceptsIncomplete }))
          : broker.deprovision(toDeprovision({ acceptsIncomplete }));
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(deeds().at(-1)).toBe('unbind');
      mayEnd.open();
      expect(await asked).toMatchObject({ is: 'done' });
      expect(deeds().at(-1)).toBe(what === 'An update' ? 'update' : 'deprovision');
    },
  );

  test.each([true, false])(
    'A deprovision waits for the removal of an expired binding only as long as patience lasts (accepts_incomplete %s).',
    async (acceptsIncomplete) => {
      const { broker, mayEnd, taken } = await expiring({ asyncPatience: 50, syncPatience: 50 });
      await expect(broker.deprovision(toDeprovision({ acceptsIncomplete }))).rejects.toMatchObject({
        code: 'occupied',
        message: expect.stringContaining('(unbind)'),
      });
      mayEnd.open();
      if ('ended' in taken) await taken.ended;
    },
  );

  test('A removal of an expired binding is not waited for while a platform removes another one: that is told at once.', async () => {
    const { broker, mayEnd, taken, deeds } = await expiring();
    const unbound = broker.unbind(toUnbind({ bindingId: 'b2' }));
    while (deeds().filter((deed) => deed === 'unbind').length < 2) await new Promise(setImmediate);
    await expect(broker.deprovision(toDeprovision())).rejects.toMatchObject({ code: 'busy' });
    await expect(broker.update(toUpdate({ parameters: { a: 1 } }))).rejects.toMatchObject({ code: 'busy' });
    mayEnd.open();
    await unbound;
    if ('ended' in taken) await taken.ended;
  });
});
