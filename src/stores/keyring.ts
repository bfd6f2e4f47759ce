import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

interface Key {
  readonly id: string;
  /** Shows nothing of itself when it is printed. */
  readonly secret: KeyObject;
}

/** Keys in the order of preference: the first one encrypts, any decrypts. */
export type KeyRing = readonly [Key, ...Key[]];

/** Encrypted text, fit to be stored; the id says with which key. */
export interface Sealed {
  readonly key: string;
  readonly iv: string;
  /** The cipher text, then the tag of 16 bytes. */
  readonly data: string;
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
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
  return { id, secret: createSecretKey(Buffer.from(base64, 'base64')) };
}

/** @param place where the text will lie: it opens at no other place. */
export function sealText([newest]: KeyRing, place: string, text: string): Sealed {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, newest.secret, iv).setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { key: newest.id, iv: iv.toString('base64'), data: data.toString('base64') };
}

/** Throws an Error that names the key when it is not in the ring, or the place when the text was not sealed there. */
export function openText(keys: KeyRing, place: string, { key: id, iv, data }: Sealed): string {
  const key = keys.find((one) => one.id === id);
  if (!key)
    throw new Error(`There is no encryption key with the id '${id}', which ${place} was encrypted with.`);
  try {
    const bytes = Buffer.from(data, 'base64');
    const decipher = createDecipheriv(CIPHER, key.secret, Buffer.from(iv, 'base64'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new Error(`${place} cannot be decrypted: it was changed, or the key '${id}' is another one.`, {
      cause,
    });
  }
}
