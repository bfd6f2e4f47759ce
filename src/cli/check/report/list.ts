import { table } from '../../table.ts';
import type { CaseGroup, CaseLevel } from '../case.ts';

/** A case as it is listed. */
export interface ListedCase {
  readonly id: string;
  readonly level: CaseLevel;
  readonly group: string;
  readonly section: string;
  readonly requirement: string;
  /** Why it is not tested from outside; undefined: it is. */
  readonly untestable: string | undefined;
  /** The version that brought it, e.g. `2.15`; undefined: 2.13 or before. */
  readonly since: string | undefined;
}

export function listOf(groups: readonly CaseGroup[]): readonly ListedCase[] {
  return groups.flatMap(({ name, cases }) =>
    cases.map(({ id, level, section, requirement, look, since }) => ({
      id,
      level,
      group: name,
      section,
      requirement,
      untestable: typeof look === 'string' ? look : undefined,
      since: since === undefined ? undefined : `2.${since}`,
    })),
  );
}

/** For people. */
export function tableOf(groups: readonly CaseGroup[]): string {
  const rows = listOf(groups).map(({ id, level, requirement, section }) => [id, level, requirement, section]);
  return table(['CASE', 'LEVEL', 'REQUIREMENT', 'SECTION'], rows);
}
