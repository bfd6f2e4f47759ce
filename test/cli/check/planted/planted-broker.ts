import type { SmallOptions } from '../small-broker.ts';

/** A small broker with faults that do not hide each other. */
export interface PlantedBroker {
  /** As the end of a sentence: `A broker with faults of logins`. */
  readonly name: string;
  /** The cases that are looked at; undefined: all. */
  readonly only?: readonly string[];
  readonly spoil?: SmallOptions['spoil'];
  /** Milliseconds for an operation, where one is never to end. */
  readonly operationWithin?: number;
  /** By the words of the small broker's code: the case that tells it, and how, as `PRV-08 failed`. */
  readonly faults: Readonly<Record<string, string>>;
}
