import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const iterations = 4096;

/**
 * What Postgres keeps of a password (SCRAM-SHA-256, RFC 5802 and 7677). Sent in its place, the password itself is in
 * no statement, and so in no log of the server.
 */
export async function verifierOf(password: string): Promise<string> {
  const salt = randomBytes(16);
  const salted = await promisify(pbkdf2)(prepared(password), salt, iterations, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** The part of SASLprep (RFC 4013) that changes what people and generators write. */
function prepared(password: string): string {
  return password.replaceAll(/[\u00a0\u2000-\u200a\u3000]/g, ' ').normalize('NFKC');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
