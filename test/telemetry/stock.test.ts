import type { InstanceEntry, OperatorView } from '../../src/broker/operator-view.ts';
import type { UnitStatus } from '../../src/broker/units.ts';
import { createStock } from '../../src/telemetry/stock.ts';

/** As many instances as are said, by their status; each with two units of the same. */
function overviewOf(statuses: readonly UnitStatus[]) {
  const entries = statuses.map((status, index) => ({
    instance: { id: String(index).padStart(5, '0') },
    status: { status, units: [{ status }, { status }] },
  })) as unknown as readonly InstanceEntry[];
  const asked: (string | undefined)[] = [];
  const overview: Pick<OperatorView, 'nodes' | 'instances' | 'offerings' | 'orphans'> = {
    nodes: async () => [],
    async instances({ after = '', limit }) {
      asked.push(after);
      return entries.filter(({ instance }) => instance.id > after).slice(0, limit);
    },
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
  const stock = await createStock(overview)();
  expect(stock).toMatchObject({
    instances: { started: 1200, error: 3, down: 0 },
    units: { started: 2400, error: 6 },
    orphans: { suspect: 2, final: 1 },
    hidden: 1,
  });
  expect(asked).toEqual(['', '00499', '00999']);
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
  expect(await takeStock()).toMatchObject({ instances: { started: 1 } });
});
