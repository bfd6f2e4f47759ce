import { randomBytes } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random letters and digits, each as likely as any other: 5.95 bits a character. */
export function newSecret(length: number): string {
  let secret = '';
  while (secret.length < length) secret += pick(randomBytes(length * 2));
  return secret.slice(0, length);
}

/** Bytes past the last full round of the alphabet would favour its beginning. */
function pick(bytes: Buffer): string {
  const fair = bytes.filter((byte) => byte < 256 - (256 % letters.length));
  return Array.from(fair, (byte) => letters[byte % letters.length]).join('');
}
