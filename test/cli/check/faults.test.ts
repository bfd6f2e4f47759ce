import { jest } from '@jest/globals';
import { plantedAtOnce } from './planted/at-once.ts';
import { expectTold } from './planted/expect-told.ts';

/** Each fault that is planted in a broker is told by the case to which it belongs, and by no other one. */

jest.setTimeout(600_000);

test.each(plantedAtOnce)(
  'A broker with faults $name has each told once, by the case it belongs to.',
  (planted) => expectTold(planted, false),
);
