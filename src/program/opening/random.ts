import { randomBytes } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Bytes past the last full round of the alphabet would favour its beginning. */
const fair = 256 - (256 % letters.length);

/** Random letters and digits, each as likely as any other: 5.95 bits a character. */
export function newSecret(length: number): string {
  let secret = '';
  while (secret.length < length) {
    for (const byte of randomBytes(length * 2))
      if (byte < fair) secret += letters.charAt(byte % letters.length);
  }
  return secret.slice(0, length);
}
