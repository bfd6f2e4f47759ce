import { aPlan } from '../fixtures.ts';
import { dead, up, toOperate, watched } from './watched-units.ts';

const over = { exceeds: 'it takes 9 MB, and its plan allows 8 MB' };
const unrestarted = aPlan({ operating: { monitor: { every: 10_000, restart: 0, within: 600_000 } } });

describe('An instance over a limit', () => {
  test('An instance over a limit is ended by an operation of the monitor, whatever its plan says of restarts, and then left so.', async () => {
    const { state, seen, asked, store, lookAfter } = await watched(unrestarted);
    await lookAfter(0);
    const restarts = () => asked.filter(({ deed }) => deed === 'restart').map(({ work }) => work);
    state.full = true;
    state.inspect = async () => [{ ...(restarts().length === 0 ? up : dead), ...over }];
    await lookAfter(10_000);
    expect(restarts()).toMatchObject([{ units: ['redis'], sparing: { end: [] } }]);
    const [operation] = await store.history('i1', 1);
    expect(operation).toMatchObject({
      kind: 'restart',
      origin: { protocol: 'monitor' },
      state: 'failed',
      failure: { word: 'over-limit', sentence: 'It takes too much.' },
    });
    for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(1);
    const [unit] = (await seen()).units;
    expect(unit).toMatchObject({ status: 'error', reason: over.exceeds });
    expect(unit?.healing).toBeUndefined();
  });

  test('An instance over a limit that has room again is started as any other that is dead.', async () => {
    const { state, restarts, lookAfter, seen } = await watched();
    await lookAfter(0);
    Object.assign(state, { facts: [{ ...up, ...over }], full: true });
    await lookAfter(10_000);
    state.facts = [{ ...dead, ...over }];
    for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
    Object.assign(state, { facts: [dead], full: false });
    await lookAfter(10_000);
    await lookAfter(1100);
    expect(restarts()).toHaveLength(2);
    state.facts = [up];
    await lookAfter(10_000);
    expect((await seen()).units[0]).toMatchObject({ status: 'started', reason: 'it runs and answers' });
  });

  test.each(['full', 'left'] as const)(
    'An instance over a limit that does not end is not asked again and again, and says so (%s).',
    async (how) => {
      const { state, restarts, broker, lookAfter } = await watched();
      await lookAfter(0);
      Object.assign(state, { facts: [{ ...up, ...over }], [how]: true });
      for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
      expect(restarts()).toHaveLength(1);
      expect(await broker.status('i1')).toMatchObject({
        status: 'error',
        reason: `${over.exceeds}; it was asked to end, did not in time, and is left as it is`,
        leftAlone: true,
      });
      await broker.restart(toOperate).catch(() => undefined);
      await lookAfter(10_000);
      await lookAfter(10_000);
      expect(restarts().length).toBeGreaterThan(2);
    },
  );

  test('An instance over a limit that shall be at rest is not touched.', async () => {
    const { state, broker, restarts, seen, lookAfter } = await watched();
    await broker.stop(toOperate);
    state.facts = [{ ...dead, ...over }];
    for (let look = 0; look < 5; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([]);
    expect((await seen()).units[0]?.status).toBe('stopped');
  });

  test('An instance near a limit is told once for all its units, and again when it has been away from it.', async () => {
    const { state, events, lookAfter } = await watched();
    const near = (mb: number) =>
      ['redis', 'web'].map((unit) => ({ ...up, unit, warning: `it takes ${mb} MB` }));
    const told = () => events.filter(({ type }) => type === 'limit-near');
    for (const mb of [7.4, 7.5, 7.6]) {
      state.facts = near(mb);
      await lookAfter(10_000);
    }
    expect(told()).toEqual([
      { type: 'limit-near', instanceId: 'i1', unit: 'redis', reason: 'it takes 7.4 MB' },
    ]);
    state.facts = [up];
    await lookAfter(10_000);
    state.facts = near(7.7);
    await lookAfter(10_000);
    expect(told()).toHaveLength(2);
  });
});
