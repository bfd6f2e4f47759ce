import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyRing } from './keyring.ts';

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
