import { jest } from '@jest/globals';
import type { ConformanceReport } from '../../../src/cli/check/report/report.ts';
import { startBareBroker } from './bare-broker.ts';
import { checkAt, checkSmall } from './small-check.ts';

/** A right broker is not blamed. */

jest.setTimeout(600_000);

test.each([
  ['makes everything at once', false, '2.17'],
  ['takes its time for everything', true, '2.17'],
  ['is spoken to in version 2.13', true, '2.13'],
])(
  'A right broker that %s has no shortcoming, and keeps nothing of what was made.',
  async (_how, slow, apiVersion) => {
    const { report, broker } = await checkSmall({ slow }, [], { apiVersion });
    expect(saidOf(report)).toEqual([]);
    expect(broker.state.instances.size).toBe(0);
    expect(report.left).toEqual([]);
  },
);

test.each(['2.13', '2.17'])(
  'A right broker that can do no more than it must, spoken to in version %s, fails in nothing and keeps nothing.',
  async (apiVersion) => {
    const broker = await startBareBroker();
    try {
      const report = await checkAt({ address: broker.url, apiVersion });
      expect(saidOf(report)).toEqual([]);
      expect(report).toMatchObject({ left: [], stopped: undefined });
      expect(broker.things.size).toBe(0);
    } finally {
      await broker.stop();
    }
  },
);

function saidOf({ cases }: ConformanceReport): readonly string[] {
  return cases
    .filter(({ verdict }) => ['failed', 'warned'].includes(verdict))
    .map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`);
}
