import { jest } from '@jest/globals';
import { plantedSingly } from './planted/at-once-singly.ts';
import { expectTold } from './planted/expect-told.ts';
import { plantedOddities } from './planted/oddities.ts';

/** Each fault in what no platform asks for, or by which others would be hidden, is told by its own case alone. */

jest.setTimeout(600_000);

test.each([...plantedSingly, ...plantedOddities])(
  'A broker with faults $name has each told once, by the case it belongs to.',
  (planted) => expectTold(planted, false),
);
