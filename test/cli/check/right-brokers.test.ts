import { jest } from '@jest/globals';
import { checkSmall, shortcomingsIn } from './small-check.ts';

/** A right broker is not blamed. */

jest.setTimeout(600_000);

test.each([
  ['makes everything at once', false],
  ['takes its time for everything', true],
])('A right broker that %s has no shortcoming, and keeps nothing of what was made.', async (_how, slow) => {
  const { report, broker } = await checkSmall({ slow });
  const said = report.cases.filter(({ verdict }) => ['failed', 'warned'].includes(verdict));
  expect(said.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  expect(shortcomingsIn(report)).toEqual([]);
  expect(broker.state.instances.size).toBe(0);
  expect(report.left).toEqual([]);
});
