import { caseGroups } from '../../../src/cli/check/cases.ts';
import { plantedSingly } from './planted/at-once-singly.ts';
import { plantedAtOnce } from './planted/at-once.ts';
import { spoiltCatalogs } from './planted/catalogs.ts';
import { plantedInProgress } from './planted/in-progress.ts';
import { plantedOddities } from './planted/oddities.ts';

/** No case is without a fault that shows that it sees what it is for. */

test('Each case that looks at a broker is told by a planted fault.', () => {
  const brokers = [plantedAtOnce, plantedSingly, plantedOddities, plantedInProgress].flat();
  const told = [
    ...brokers.flatMap(({ faults }) => Object.values(faults)),
    ...spoiltCatalogs.map(([, one]) => one),
  ];
  const cases = caseGroups.flatMap(({ cases: own }) => own).filter(({ look }) => typeof look !== 'string');
  const expected = cases.map(({ id, level }) => `${id} ${level === 'MUST' ? 'failed' : 'warned'}`);
  expect([...new Set(told)].toSorted()).toEqual(expected.toSorted());
});
