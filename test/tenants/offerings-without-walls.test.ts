import { jest } from '@jest/globals';
import { attackOfferings } from './attack-offerings.ts';
import { byOrdinaryUserWithoutBwrap } from './set-ups.ts';

jest.setTimeout(180_000);

attackOfferings(byOrdinaryUserWithoutBwrap);
