import type { Meanings } from '../described.ts';
import { answerMeanings, operationMeanings } from './answers.ts';
import { makingMeanings, parameterMeanings, schemaMeanings } from './making.ts';
import { marketMeanings, planMeanings } from './market.ts';
import { runningMeanings } from './running.ts';

/** What each key of an offering file means, by the tables of docs/offering-file.md. */
export const offeringMeanings = {
  market: marketMeanings,
  plans: planMeanings,
  making: makingMeanings,
  parameters: parameterMeanings,
  schemas: schemaMeanings,
  answers: answerMeanings,
  operations: operationMeanings,
  running: runningMeanings,
} satisfies Readonly<Record<string, Meanings>>;
