import type { OperationSummary } from '../../src/broker/events.ts';
import type { InstanceEntry } from '../../src/broker/operator-view.ts';
import type { UnitStatus } from '../../src/broker/units.ts';
import { createStock } from '../../src/telemetry/stock.ts';
import { until } from '../support/until.ts';

/** An operation that was opened an hour ago, and taken up so many times. */
function opened(state: string | undefined, attempt: number): OperationSummary {
  const createdAt = new Date(Date.now() - 3_600_000);
  return { kind: 'bind', state, attempt, createdAt } as unknown as OperationSummary;
}

/** As many instances as are said, by their status; each with two units of the same. */
function overviewOf(statuses: readonly UnitStatus[]) {
  const entries = statuses.map((status, index) => ({
    instance: { id: String(index).padStart(5, '0') },
    offering: index % 2 ? 'redis' : 'echo',
    plan: 'small',
    drifted: index < 2,
    status: { status, units: [{ status }, { status }] },
  })) as unknown as readonly InstanceEntry[];
  const asked: (string | undefined)[] = [];
  const overview: Parameters<typeof createStock>[0] = {
    nodes: async () => [],
    async instances({ after = '', limit }) {
      asked.push(after);
      return entries.filter(({ instance }) => instance.id > after).slice(0, limit);
    },
    operations: async ({ state, after }) =>
      after === undefined
        ? { operations: [opened(state, 1)], next: 'x' }
        : { operations: [opened(state, 0)] },
    offerings: () => [
      { offering: { id: 'a', name: 'a', description: 'a', plans: [] } },
      { offering: { id: 'b', name: 'b', description: 'b', plans: [] }, hidden: 'There is no node.' },
    ],
    orphans: async () =>
      [true, false, false].map((final) => ({
        provisioner: 'p',
        resource: { name: 'x' },
        firstSeenAt: new Date(0),
        final,
        removalApproved: false,
      })),
  };
  return { overview, asked };
}

test('All instances are counted, however many pages they fill', async () => {
  const statuses = [...Array<UnitStatus>(1200).fill('started'), ...Array<UnitStatus>(3).fill('error')];
  const { overview, asked } = overviewOf(statuses);
  const counted = await createStock(overview)();
  expect(counted?.stock).toMatchObject({
    instances: [
      { offering: 'echo', plan: 'small', status: 'started', count: 600 },
      { offering: 'redis', plan: 'small', status: 'started', count: 600 },
      { offering: 'echo', plan: 'small', status: 'error', count: 2 },
      { offering: 'redis', plan: 'small', status: 'error', count: 1 },
    ],
    drifted: new Map([
      ['echo', 1],
      ['redis', 1],
    ]),
    units: { started: 2400, error: 6 },
    orphans: { suspect: 2, final: 1 },
    hidden: 1,
  });
  expect(asked).toEqual(['', '00499', '00999']);
});

test('Open operations are counted on all pages, with the age of the oldest and of what nobody has taken up', async () => {
  const { open } = (await createStock(overviewOf([]).overview)())?.stock ?? {};
  expect(open?.kinds).toEqual(new Map([['bind', 2]]));
  for (const ms of [open?.oldestMs, open?.waitingMs]) expect(ms).toBeGreaterThanOrEqual(3_600_000);
});

test('However often it is asked, the instances are counted once in ten seconds', async () => {
  let now = 0;
  const { overview, asked } = overviewOf(['started']);
  const takeStock = createStock(overview, () => now);
  await Promise.all([takeStock(), takeStock()]);
  now = 10_000;
  await takeStock();
  expect(asked).toHaveLength(1);
  now = 10_001;
  await takeStock();
  expect(asked).toHaveLength(2);
});

test('What went wrong is tried again at once', async () => {
  const { overview } = overviewOf(['started']);
  let away = true;
  const takeStock = createStock({
    ...overview,
    nodes: async () => {
      if (away) throw new Error('away');
      return [];
    },
  });
  await expect(takeStock()).rejects.toThrow('away');
  away = false;
  expect(await takeStock()).toMatchObject({ stock: { instances: [{ status: 'started', count: 1 }] } });
});

/** Counts that end when the test says so. */
function slowly(overview: Parameters<typeof createStock>[0]) {
  let gate = Promise.withResolvers<void>();
  let waiting = 0;
  const slow: typeof overview = {
    ...overview,
    async orphans() {
      waiting += 1;
      await gate.promise;
      return overview.orphans();
    },
  };
  function endCount(error?: Error): void {
    if (error) gate.reject(error);
    else gate.resolve();
    gate = Promise.withResolvers();
  }
  return { slow, endCount, waiting: () => waiting };
}

test('Whoever asks is not kept by a count that takes long, and is told how old the last one is', async () => {
  let now = 0;
  const { overview, asked } = overviewOf(['started']);
  const { slow, endCount, waiting } = slowly(overview);
  const takeStock = createStock(slow, () => now);
  expect(await takeStock()).toBeUndefined();
  now = 2000;
  endCount();
  await until('it is counted', async () => (await takeStock()) !== undefined);
  now = 50_000;
  const counted = await takeStock();
  expect(counted).toMatchObject({ stock: { instances: [{ status: 'started', count: 1 }] }, ageMs: 50_000 });
  expect(await takeStock()).toEqual(counted);
  // One for each count: the first, and one that goes on.
  await until('the second count has come so far', () => waiting() === 2);
  expect(asked).toHaveLength(2);
  endCount();
  await until('it is counted anew', async () => (await takeStock())?.ageMs === 0);
});

test('After a count that took long there is a pause of twenty times as long', async () => {
  let now = 0;
  const { overview, asked } = overviewOf(['started']);
  const { slow, endCount } = slowly(overview);
  const takeStock = createStock(slow, () => now);
  await takeStock();
  now = 3000;
  endCount();
  await until('it is counted', async () => (await takeStock()) !== undefined);
  now = 60_000;
  await takeStock();
  expect(asked).toHaveLength(1);
  now = 60_001;
  await takeStock();
  expect(asked).toHaveLength(2);
  endCount();
});

test('A count that fails while nobody waits leaves nothing to show that could be old', async () => {
  let now = 0;
  const { overview } = overviewOf(['started']);
  const { slow, endCount } = slowly(overview);
  const takeStock = createStock(slow, () => now);
  await takeStock();
  endCount();
  await until('it is counted', async () => (await takeStock()) !== undefined);
  now = 20_000;
  expect(await takeStock()).toMatchObject({ ageMs: 20_000 });
  endCount(new Error('away'));
  await until('nothing is shown', async () => (await takeStock().catch(() => undefined)) === undefined);
  await until('it is counted anew', async () => {
    endCount();
    return (await takeStock()) !== undefined;
  });
});
