// A store of backups made from one: all that lies in the inner one is encrypted, in parts of which each is authentic.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { pipeline, Transform } from 'node:stream';
import type { BackupStorage } from '../../broker/backups.ts';
import { Failure } from '../../broker/errors.ts';
import { runThrough } from './flow.ts';

const cipherName = 'aes-256-gcm';
const keyBytes = 32;
const tagBytes = 16;
const partBytes = 65_536;

/**
 * Each backup has a key of its own, which whoever keeps its record keeps with it. A part that was changed, left out or put
 * elsewhere is found out before anything of it is given. What was written before there were such keys is read as it lies.
 */
export function sealedBackups(inner: BackupStorage): BackupStorage {
  return {
    ...inner,
    async write(name, fill) {
      const key = randomBytes(keyBytes);
      const stored = await inner.write(name, (to) => runThrough(encryption(key), to, fill));
      return { ...stored, key: key.toString('base64') };
    },
    async read(name, key) {
      const bytes = await inner.read(name);
      if (key === undefined) return bytes;
      // Whoever reads it hears of what goes wrong.
      return pipeline(bytes, decryption(Buffer.from(key, 'base64'), name), () => undefined);
    },
  };
}

/** The key is of one backup alone, so the numbers of its parts can be what must never come twice. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

function encryption(key: Buffer): Transform {
  return inParts(partBytes, (part, nonce) => {
    const cipher = createCipheriv(cipherName, key, nonce);
    return Buffer.concat([cipher.update(part), cipher.final(), cipher.getAuthTag()]);
  });
}

function decryption(key: Buffer, name: string): Transform {
  return inParts(partBytes + tagBytes, (part, nonce) => {
    try {
      const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(part.subarray(-tagBytes));
      return Buffer.concat([decipher.update(part.subarray(0, -tagBytes)), decipher.final()]);
    } catch {
      throw new Failure('damaged', 'The backup is not as it was written any more, so it was not restored.', {
        detail: `${name} cannot be decrypted: it was changed, or is not the one that its record is of.`,
      });
    }
  });
}

/** Takes parts of this many bytes, and at the end what is left, which may be nothing. */
function inParts(size: number, use: (part: Buffer, nonce: Buffer) => Buffer): Transform {
  let kept: Buffer = Buffer.alloc(0);
  let number = 0;
  const take = (part: Buffer, isLast: boolean) => use(part, nonceOf(number++, isLast));
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      kept = Buffer.concat([kept, chunk]);
      try {
        // The last part is known only when nothing follows.
        for (; kept.length > size; kept = kept.subarray(size)) this.push(take(kept.subarray(0, size), false));
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        this.push(take(kept, true));
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
