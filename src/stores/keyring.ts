import type { KeyObject } from 'node:crypto';

interface Key {
  readonly id: string;
  /** Shows nothing of itself when it is printed. */
  readonly secret: KeyObject;
}

/** Keys in the order of preference: the first one encrypts, any decrypts. */
export type KeyRing = readonly [Key, ...Key[]];

const KEY_BYTES = 32;
// Shorter than any key, so that no message can repeat one which was put in the place of its id.
const ID = /^[A-Za-z0-9._-]{1,32}$/;
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/;

/** Reads `id:base64-of-32-bytes`, comma-separated, the one to write with first. No error repeats a key. */
export function readKeys(text: string): KeyRing {
  const keys = text.split(',').map((entry, index) => readKey(entry.trim(), index + 1));
  const [newest, ...older] = keys;
  if (!newest) throw new Error('There is no encryption key.');
  const twice = keys.findIndex(({ id }, index) => keys.findIndex((other) => other.id === id) < index);
  if (twice >= 0) throw new Error(`Encryption key ${twice + 1} has the id of one before it.`);
  return [newest, ...older];
}

/** The same keys with this one in front; as it is when there is no such key. */
export function preferring(ring: KeyRing, id: string): KeyRing {
  const key = ring.find((one) => one.id === id);
  return key ? [key, ...ring.filter((one) => one !== key)] : ring;
}

function readKey(entry: string, place: number): Key {
  const [id = '', base64 = '', ...rest] = entry.split(':');
  if (!ID.test(id) || rest.length > 0 || !entry.includes(':')) {
    throw new Error(
      `Encryption key ${place} is not of the form id:key, where the id has 1 to 32 letters, digits or ._-.`,
    );
  }
  if (!BASE64_KEY.test(base64)) {
    throw new Error(`Encryption key ${place} is not ${KEY_BYTES} bytes in base64 (44 characters).`);
  }
  // Loaded for a key alone: this file is among what every command has, and a tenth of its time would go to that.
  const { createSecretKey } = process.getBuiltinModule('node:crypto');
  return { id, secret: createSecretKey(Buffer.from(base64, 'base64')) };
}
