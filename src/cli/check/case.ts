import type { Probe } from './probe/probe.ts';

/**
 * How binding a requirement is: the specification's own words; `CC`: lawful, but Cloud Controller refuses or
 * mishandles it; `HARD`: robustness that other standards or hostile input ask for.
 */
export type CaseLevel = 'MUST' | 'SHOULD' | 'MAY' | 'CC' | 'HARD';

/** One requirement and how it is looked at from outside. */
export interface ConformanceCase {
  /** Its number, e.g. `PRV-08`. */
  readonly id: string;
  readonly level: CaseLevel;
  /** Where the specification says it. */
  readonly section: string;
  /** What is required, as a sentence. */
  readonly requirement: string;
  /**
   * Asks the broker. @throws Shortcoming when the requirement does not hold, Inapplicable when it cannot be asked here.
   * In its place a text says why it cannot be tested from outside.
   */
  readonly look: ((probe: Probe) => Promise<void>) | string;
  /** The minor version of the API that brought it; undefined: 13 or before. */
  readonly since: number | undefined;
}

export interface CaseGroup {
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** A case as one reads it: number, level, section, requirement, and how it is looked at. */
export function defineCase(
  id: string,
  level: CaseLevel,
  section: string,
  requirement: string,
  look: ConformanceCase['look'],
  since?: number,
): ConformanceCase {
  return { id, level, section, requirement, look, since };
}
