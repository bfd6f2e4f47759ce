import type { Store } from '../../src/broker/store.ts';
import { toBind, toDeprovision, toOperate, toProvision, toUnbind, toUpdate } from './fixtures.ts';
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

test('Only as long as patience lasts: then it is busy.', async () => {
  const { broker, mayEnd, restarted } = await restarting({ asyncPatience: 50, syncPatience: 50 });
  const busy = { code: 'busy' };
  for (const acceptsIncomplete of [true, false]) {
    await expect(broker.bind(toBind({ bindingId: 'b2', acceptsIncomplete }))).rejects.toMatchObject(busy);
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
