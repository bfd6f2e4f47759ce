// What cannot be read is told of and passed over; only who asks for it is refused.
import { Refusal } from '../broker/errors.ts';
import type { ConfidentialRow } from './operation-rows.ts';

/** What names a row. */
export type RowPlace = Omit<ConfidentialRow, 'confidential'>;

/** As the error messages write it, and as what lies there is sealed for. */
export function rowPlaceOf({ table, ids }: RowPlace): string {
  return `${table} ${JSON.stringify(ids)}`;
}

/** Told of each row that cannot be read, and why; again after a while, for as long as somebody comes upon it. */
export type TellUnreadable = (row: RowPlace, detail: string) => void;

/** The refusal for who asks for a row. @param cause why it cannot be read */
export function unreadable({ table }: RowPlace, cause: unknown): Refusal {
  const refusal = new Refusal('unreadable', sentences[table]);
  refusal.cause = cause;
  return refusal;
}

const cannot = 'The service broker cannot read what it has stored of this';
const sentences = {
  service_instances: `${cannot} service instance. Its operator must look into it.`,
  service_bindings: `${cannot} service binding. Its operator must look into it.`,
  operations: `${cannot} operation. Its operator must look into it.`,
  authorities: `${cannot} authority. Its operator must look into it.`,
  backups: `${cannot} backup. Its operator must look into it.`,
  audit_trail: `${cannot} entry of the audit trail. Its operator must look into it.`,
} satisfies Record<ConfidentialRow['table'], string>;

/** Claims in a row that may give what cannot be read. */
const mostUnreadable = 100;

/** What cannot be read does not hide what is due after it. */
export async function claimReadable<Claimed>(
  claim: () => Promise<Claimed | undefined>,
  read: (claimed: Claimed) => Claimed,
  passOn?: (claimed: Claimed) => Promise<unknown>,
): Promise<Claimed | undefined> {
  for (let tries = 0; tries < mostUnreadable; tries += 1) {
    const claimed = await claim();
    if (!claimed) return undefined;
    try {
      return read(claimed);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await passOn?.(claimed);
    }
  }
  return undefined;
}

export function isUnreadable(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === 'unreadable';
}

/** Milliseconds before the same row is told of again. */
const toldAgainAfter = 600_000;
/** Rows that are remembered to have been told of. */
const mostTold = 10_000;

export function tellingSeldom(tell: TellUnreadable): TellUnreadable {
  const told = new Map<string, number>();
  return function tellOnce(row, detail) {
    const place = rowPlaceOf(row);
    const last = told.get(place) ?? -Infinity;
    if (performance.now() - last < toldAgainAfter) return;
    if (told.size >= mostTold) told.clear();
    told.set(place, performance.now());
    tell(row, detail);
  };
}
