import { jest } from '@jest/globals';
import { plantedInProgress } from './planted/in-progress.ts';
import { expectTold } from './planted/expect-told.ts';

/** Each fault of a broker that takes its time is told by the case to which it belongs, and by no other one. */

jest.setTimeout(600_000);

test.concurrent.each(plantedInProgress)(
  'A broker that takes its time, with faults $name, has each told once, by the case it belongs to.',
  (planted) => expectTold(planted, true),
);
