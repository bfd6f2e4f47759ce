import type { ServicePlan } from '../../../src/broker/catalog.ts';
import { aPlan, toBind } from '../fixtures.ts';
import { gate } from '../core-in-memory.ts';
import { up, dead, silent, watched, toOperate, begin } from './watched-units.ts';

describe('Healing', () => {
  test('P15: What fails is restarted three times, as an operation of the monitor, and then left alone.', async () => {
    const { state, seen, restarts, store, events, lookAfter } = await watched();
    await lookAfter(0);
    state.facts = [dead];
    await lookAfter(10_000);
    expect(restarts()).toHaveLength(0);
    await lookAfter(900);
    expect(restarts()).toHaveLength(0);
    await lookAfter(150);
    expect(restarts()).toEqual([['redis']]);
    const [operation] = await store.history('i1', 1);
    expect(operation).toMatchObject({ kind: 'restart', origin: { protocol: 'monitor' }, state: 'succeeded' });
    await lookAfter(0);
    await lookAfter(3500);
    expect(restarts()).toHaveLength(1);
    await lookAfter(1000);
    expect(restarts()).toHaveLength(2);
    await lookAfter(0);
    await lookAfter(15_000);
    expect(restarts()).toHaveLength(2);
    await lookAfter(1500);
    expect(restarts()).toHaveLength(3);
    await lookAfter(0);
    for (let look = 0; look < 100; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(3);
    const said = 'it exited with 1; it was restarted 3 times within 10 minutes and is left alone';
    expect(await seen()).toMatchObject({
      units: [{ status: 'error', reason: said, healing: { leftAlone: true } }],
    });
    expect(events.filter(({ type }) => type === 'left-alone')).toEqual([
      { type: 'left-alone', instanceId: 'i1', unit: 'redis', restarts: 3 },
    ]);
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'When people have restarted what was left alone, it is healed again; the clock is %s.',
    async (_how, wrong) => {
      const { state, healing, broker, restarts, lookAfter } = await watched(
        aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
        wrong,
      );
      await broker.restart(toOperate);
      await broker.stop(toOperate);
      await broker.start(toOperate);
      state.facts = [dead];
      for (let look = 0; look < 3; look += 1) await lookAfter(10_000);
      expect(restarts()).toHaveLength(2);
      expect((await healing())?.leftAlone).toBe(true);
      expect(await broker.status('i1')).toMatchObject({ status: 'error', leftAlone: true });
      await lookAfter(10_000);
      expect((await healing())?.leftAlone).toBe(true);
      await broker.restart(toOperate);
      expect(restarts()).toHaveLength(3);
      await lookAfter(0);
      expect((await healing())?.leftAlone).toBe(false);
      await lookAfter(1000);
      expect(restarts()).toHaveLength(4);
      await lookAfter(0);
      expect((await healing())?.leftAlone).toBe(true);
      state.facts = [up];
      await lookAfter(10_000);
      expect(await healing()).toBeUndefined();
    },
  );

  test('A bind or a stop says nothing to what is left alone.', async () => {
    const { state, seen, healing, broker, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
    );
    state.facts = [dead];
    for (let look = 0; look < 3; look += 1) await lookAfter(10_000);
    expect((await healing())?.leftAlone).toBe(true);
    await broker.stop(toOperate);
    await lookAfter(10_000);
    expect(await seen()).toMatchObject({ units: [{ status: 'stopped', healing: { leftAlone: true } }] });
  });

  test('What somebody stops between the look and the restart is not started again.', async () => {
    const { state, broker, checks, store, restarts, lookAfter, pass } = await watched();
    await lookAfter(0);
    state.facts = [dead];
    await lookAfter(10_000);
    pass(1000);
    state.onSaved = () => broker.stop(toOperate);
    const { ended } = await begin(checks);
    await ended;
    expect(restarts()).toEqual([]);
    expect((await store.findInstance('i1'))?.instance.stopped).toBe(true);
  });

  test('What does not answer is not restarted, and what shall never be restarted is not.', async () => {
    const { state, restarts, seen, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 0, within: 600_000 } } }),
    );
    state.facts = [dead];
    for (let look = 0; look < 4; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([]);
    expect(await seen()).toMatchObject({ units: [{ status: 'error', reason: 'it exited with 1' }] });
    const other = await watched();
    other.state.facts = [silent];
    for (let look = 0; look < 4; look += 1) await other.lookAfter(10_000);
    expect(other.restarts()).toEqual([]);
  });

  test('What lives is never restarted, whatever it answers: full, busy, loading, hanging, or failed for its hook.', async () => {
    const { state, restarts, seen, events, lookAfter } = await watched();
    const full = { ...up, answer: 'wrong', reason: 'it answers: too many connections' } as const;
    for (const facts of [full, silent, { ...up, failed: 'its hook says no' }, { ...silent, failed: 'no' }]) {
      state.facts = [facts];
      for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
      expect(restarts()).toEqual([]);
    }
    state.facts = [full];
    await lookAfter(10_000);
    expect((await seen()).units).toMatchObject([
      { status: 'error', reason: 'it answers: too many connections', pid: 7 },
    ]);
    expect(events.filter(({ type }) => type === 'left-alone')).toEqual([]);
  });

  test('Of several units only the dead one is started, and the provisioner is told to spare the others.', async () => {
    const { state, asked, lookAfter } = await watched();
    state.facts = [up, { ...dead, unit: 'web' }, { ...up, unit: 'job', answer: 'wrong' }];
    for (const ms of [0, 1000]) await lookAfter(ms);
    const restarted = asked.filter(({ deed }) => deed === 'restart').map(({ work }) => work);
    expect(restarted).toMatchObject([{ units: ['web'], sparing: { end: [] } }]);
  });

  test('Each unit has its own limit of healing: one that dies again and again does not take that of the others.', async () => {
    const { state, restarts, seen, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
    );
    state.facts = [{ ...dead, unit: 'web' }, up];
    for (let look = 0; look < 5; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([['web']]);
    state.facts = [{ ...dead, unit: 'web' }, dead];
    for (let look = 0; look < 5; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([['web'], ['redis']]);
    expect((await seen()).units.map(({ healing }) => healing?.leftAlone)).toEqual([true, true]);
  });

  test('Where the offering asks for it, what answers wrongly is asked to end and started again.', async () => {
    const { state, asked, lookAfter } = await watched(asking());
    state.facts = [
      { ...up, answer: 'wrong' },
      { ...silent, unit: 'web' },
      { ...dead, unit: 'job' },
    ];
    for (const ms of [0, 1000]) await lookAfter(ms);
    const restarted = asked.filter(({ deed }) => deed === 'restart').map(({ work }) => work);
    expect(restarted).toMatchObject([{ units: ['redis', 'job'], sparing: { end: ['redis'] } }]);
  });

  test('What does not end when it is asked to is left as it is, which is said, until people have tended to it.', async () => {
    const { state, broker, restarts, seen, lookAfter } = await watched(asking());
    state.facts = [{ ...up, answer: 'wrong' }];
    state.left = true;
    for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(1);
    expect((await seen()).units).toMatchObject([
      {
        status: 'error',
        reason: expect.stringMatching(/; it was asked to end, did not in time, and is left/),
      },
    ]);
    expect(await broker.status('i1')).toMatchObject({ leftAlone: true });
    state.left = false;
    await broker.restart(toOperate);
    for (let look = 0; look < 2; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(3);
  });

  test('Healing meets no bind: as long as one is open it is put off, and does not count.', async () => {
    const { state, broker, work, restarts, healing, store, lookAfter } = await watched();
    await lookAfter(0);
    const ended = gate();
    state.onBind = () => ended.passed;
    const bound = broker.bind(toBind({ acceptsIncomplete: true }));
    while (!(await store.findInstance('i1'))?.bindingsBusy) await new Promise(setImmediate);
    state.facts = [dead];
    await lookAfter(10_000);
    for (let look = 0; look < 10; look += 1) await lookAfter(1000);
    expect(restarts()).toEqual([]);
    expect(await healing()).toMatchObject({ restarts: [], leftAlone: false });
    ended.open();
    await bound;
    await work.rest();
    await lookAfter(1000);
    expect(restarts()).toEqual([['redis']]);
    expect((await healing())?.restarts).toHaveLength(1);
  });
});

function asking(): ServicePlan {
  const monitor = { every: 10_000, restart: 3, within: 600_000, restartOn: ['wrong-answer'] } as const;
  return aPlan({ operating: { monitor } });
}
