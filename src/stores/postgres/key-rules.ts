// What must be true of a ring of keys before it may write to a database that others use.
import type { KeyRing } from '../keyring.ts';
import { openText, type Sealed, sealText } from '../sealed-text.ts';

export interface Known {
  /** Proofs by id, of the keys that write or wrote. */
  readonly written: ReadonlyMap<string, string>;
  /** Proofs by id, of all that a broker was started with. */
  readonly known: ReadonlyMap<string, string>;
  /** The other brokers that live. */
  readonly others: readonly Other[];
}

export interface Other {
  readonly label: string;
  readonly keys: readonly string[];
  readonly writes: string;
}

const WHERE = 'in ENCRYPTION_KEYS or, when that is not set, in the file encryption-keys in DATA_DIR.';

/** @throws Error when the ring lacks a key that writes, or wrote, or has another one under its id */
export function requireWritten({ written }: Known, ring: KeyRing): void {
  for (const [id, proof] of written) {
    if (!ring.some((key) => key.id === id)) {
      throw new Error(
        `ENCRYPTION_KEYS lacks key '${id}', under which this database has records. ` +
          `Add it behind the first one, ${WHERE}`,
      );
    }
    if (!isProven(ring, id, proof)) {
      throw new Error(
        `ENCRYPTION_KEYS: key '${id}' is not the key that this database was written with. ` +
          `Restore the right key, ${WHERE}`,
      );
    }
  }
}

/**
 * Under one id all who live have the same key, also when nothing was written with it yet.
 * @throws Error that names the broker which has another one
 */
export function requireSame({ known, others }: Known, ring: KeyRing): void {
  for (const { id } of ring) {
    const proof = known.get(id);
    const other = others.find(({ keys }) => keys.includes(id));
    if (proof === undefined || !other || isProven(ring, id, proof)) continue;
    throw new Error(
      `ENCRYPTION_KEYS: key '${id}' is another one than ${other.label} has under this id. ` +
        'Give all brokers the same one, or this one another id.',
    );
  }
}

/** @throws Error when a broker that lives could not read what is written with the first key */
export function requireShared({ others }: Known, [{ id }]: KeyRing): void {
  const behind = others.filter(({ keys }) => !keys.includes(id));
  if (behind.length === 0) return;
  const names = behind.map(({ label }) => label).join(', ');
  const verb = behind.length === 1 ? 'runs and lacks' : 'run and lack';
  throw new Error(
    `Nothing was changed: ${names} ${verb} the key '${id}'. Add it to the ENCRYPTION_KEYS of every broker first.`,
  );
}

/** @throws Error when no broker was ever started with the first key */
export function requireSaved({ known }: Known, ring: KeyRing): void {
  const [{ id }] = ring;
  const proof = known.get(id);
  if (proof !== undefined && isProven(ring, id, proof)) return;
  throw new Error(
    `Nothing was changed: no broker has been started with the key '${id}' yet, so it may be kept nowhere but in this ` +
      'command, and all would be lost with it. Start the brokers with it first, or say --saved when it is kept in a ' +
      'safe place.',
  );
}

const KNOWN = 'purveyor';

/** A known text, sealed with the key, by which the key can be told from every other one. */
export function proofOf(key: KeyRing[0]): string {
  return JSON.stringify(sealText([key], placeOf(key.id), KNOWN));
}

export function isProven(ring: KeyRing, id: string, proof: string): boolean {
  try {
    return openText(ring, placeOf(id), JSON.parse(proof) as Sealed) === KNOWN;
  } catch {
    return false;
  }
}

function placeOf(id: string): string {
  return `encryption_keys/${id}`;
}
