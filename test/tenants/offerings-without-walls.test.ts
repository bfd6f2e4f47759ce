import { attackOfferings } from './attack-offerings.ts';
import { byOrdinaryUserWithoutBwrap } from './set-ups.ts';

attackOfferings(byOrdinaryUserWithoutBwrap);
