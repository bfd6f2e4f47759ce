import { checkSmall, shortcomingsIn } from '../small-check.ts';
import type { PlantedBroker } from './planted-broker.ts';

/** Each fault of this broker is told by the case that it names, and nothing else is. */
export async function expectTold(
  { faults, only, spoil, operationWithin = 60_000 }: PlantedBroker,
  slow: boolean,
): Promise<void> {
  const options = { slow, faults: Object.keys(faults), spoil };
  const { report } = await checkSmall(options, only, { operationWithin });
  expect(report.stopped).toBeUndefined();
  const reasons = report.cases.filter(({ verdict }) => verdict === 'failed' || verdict === 'warned');
  // The reasons are shown when it is not so.
  const why = reasons.map(({ id, reason }) => `${id}: ${reason}`);
  expect({ told: shortcomingsIn(report).toSorted(), why }).toEqual({
    told: Object.values(faults).toSorted(),
    why,
  });
}
