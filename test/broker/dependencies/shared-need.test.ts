import { needingCore, app, appPlan, aSharedDb, credentialsOf, db, needOf, planOf } from './dependent-apps.ts';
import { toDeprovision, toOperate, toProvision } from '../fixtures.ts';
import { gate } from '../core-in-memory.ts';

/** Instances that are there already, and that others need. */

const soon = { acceptsIncomplete: true };
const toMake = toProvision(app);
const toRemove = toDeprovision(app);

describe('A shared need', () => {
  const plans = [
    appPlan({}, { db: needOf('db', { instance: 'shared' }) }),
    planOf('db'),
    planOf('other', { id: 'db-small' }),
  ];
  const missing = {
    code: 'invalid',
    message: "The plan 'app-small' needs the instance 'shared' of db, and there is none.",
  };

  test('A shared need that is not there is refused with its name, and nothing is written.', async () => {
    const core = needingCore(plans);
    const { broker } = core.broker();
    await expect(broker.provision(toMake)).rejects.toMatchObject(missing);
    expect(await core.store.list({ limit: 9 })).toEqual([]);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('absent');
  });

  test('A shared need that is not finished, or something else, is refused too.', async () => {
    const slow = gate();
    const core = needingCore(plans, { provision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker, work } = core.broker();
    const other = { instanceId: 'shared', offeringId: 'other', planId: 'db-small' };
    await broker.provision(toProvision({ ...other, ...soon }));
    await expect(broker.provision(toMake)).rejects.toMatchObject(missing);
    slow.open();
    await work.rest();
    await expect(broker.provision(toMake)).rejects.toMatchObject(missing);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('absent');
  });

  test('A shared need is bound for each that needs it, and cannot be deleted before the last of them is gone.', async () => {
    const core = needingCore(plans);
    const { broker } = core.broker();
    await aSharedDb(broker);
    for (const instanceId of ['i2', 'i1']) await broker.provision({ ...toMake, instanceId });
    expect(core.things()).toHaveLength(5);
    expect(await credentialsOf(broker)).toEqual({ db: expect.stringContaining('db://') });
    const removal = toDeprovision({ ...db, instanceId: 'shared' });
    await expect(broker.deprovision(removal)).rejects.toMatchObject({
      code: 'invalid',
      message: "Other instances need this one, so it cannot be deleted: 'i1', 'i2'.",
    });
    await broker.deprovision(toRemove);
    await expect(broker.deprovision(removal)).rejects.toThrow("'i2'");
    await broker.deprovision({ ...toRemove, instanceId: 'i2' });
    expect(core.things()).toEqual(['db shared']);
    expect(await broker.deprovision(removal)).toMatchObject({ is: 'done' });
  });

  test('A shared need that goes between the refusal and the making lets the instance fail, and nothing is left.', async () => {
    const core = needingCore(plans);
    const { broker, work } = core.broker();
    await aSharedDb(broker);
    const { store } = core;
    const { broker: late } = core.broker(
      {},
      {
        store: {
          ...store,
          async open(opening) {
            if (opening.operation.instanceId === 'i1')
              await broker.deprovision(toDeprovision({ ...db, instanceId: 'shared' }));
            return store.open(opening);
          },
        },
      },
    );
    await expect(late.provision(toMake)).rejects.toThrow(
      "The service needs db, which could not be had. There is no instance 'shared' that could be used.",
    );
    expect(core.things()).toEqual([]);
    await work.rest();
  });

  test('A shared need whose offering is hidden by now is there all the same.', async () => {
    const core = needingCore(plans);
    const { broker } = core.broker();
    await aSharedDb(broker);
    await core.store.saveRevisions(plans);
    const { offerings, ...rest } = broker.catalog();
    const [app, ...others] = offerings.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const { broker: later } = core.broker(
      {},
      {
        catalog: () => ({ ...rest, offerings: app ? [app] : [] }),
        hidden: () => others.map((offering) => ({ offering, reason: 'There is no node.' })),
        revive: () => plans[1] ?? planOf('db'),
      },
    );
    expect(await later.provision(toMake)).toMatchObject({ is: 'done' });
  });

  test('A shared need that is at rest lets the instance fail: somebody is to start it.', async () => {
    const core = needingCore(plans, { stop: () => ({ done: {} }), start: () => ({ done: {} }) });
    const { broker } = core.broker();
    await aSharedDb(broker);
    await broker.stop(toOperate({ instanceId: 'shared' }));
    await expect(broker.provision(toMake)).rejects.toThrow('The service instance is stopped.');
    await broker.start(toOperate({ instanceId: 'shared' }));
    expect(await broker.provision(toMake)).toMatchObject({ is: 'done' });
    // What many use goes on when one of them rests.
    await broker.stop(toOperate());
    expect(await broker.instance('shared')).toMatchObject({ stopped: false });
  });
});
