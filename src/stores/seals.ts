import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Seals } from '../broker/context.ts';
import type { KeyRing } from './keyring.ts';

const cipherName = 'aes-256-gcm';
const [ivBytes, tagBytes, keyBytes] = [12, 16, 32];
/** Bytes that a text may have; browsers keep less of it anyway. */
const mostBytes = 65_536;

/**
 * Texts that brokers give to browsers and get back, encrypted and authenticated by keys that are made of those of the
 * database: every broker with these reads them, and what is of a key that has gone is of no use any more. A text of one
 * purpose is none of another.
 * @param ring gives the keys as they are now
 */
export function createSeals(ring: () => KeyRing): Seals {
  return {
    seal(purpose, text) {
      const [key] = ring();
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(cipherName, keyFor(purpose, key), iv);
      const data = [iv, cipher.update(deflateRawSync(text)), cipher.final(), cipher.getAuthTag()];
      return `${key.id}.${Buffer.concat(data).toString('base64url')}`;
    },
    open(purpose, token) {
      const [, id, text = ''] = /^([\w.-]{1,32})\.([\w-]+)$/.exec(token) ?? [];
      const key = ring().find((one) => one.id === id);
      const bytes = Buffer.from(text, 'base64url');
      if (!key || bytes.length < ivBytes + tagBytes || bytes.length > mostBytes) return undefined;
      try {
        const decipher = createDecipheriv(cipherName, keyFor(purpose, key), bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const packed = [decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()];
        return inflateRawSync(Buffer.concat(packed), { maxOutputLength: mostBytes }).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** Never the key itself: what lies in the database and what browsers hold have none in common. */
function keyFor(purpose: string, { secret }: KeyRing[0]): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `purveyor ${purpose}`, keyBytes));
}
