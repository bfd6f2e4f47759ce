import { attackOfferings } from './attack-offerings.ts';
import { byOrdinaryUser } from './set-ups.ts';

attackOfferings(byOrdinaryUser);
