import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A password as it may be written down: slow to try, so that who finds it has no password yet. */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const standard = { cost: 2 ** 15, blockSize: 8, parallelization: 1 } as const;
/** Bytes that a check may take. */
const mostMemory = 128 * 1024 * 1024;

/** Of a password, in the form of the PHC: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`; never the same twice. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, { ...standard, salt, hash: Buffer.alloc(32) });
  const { blockSize, parallelization } = standard;
  const costs = `ln=${Math.log2(standard.cost)},r=${blockSize},p=${parallelization}`;
  return `$scrypt$${costs}$${written(salt)}$${written(hash)}`;
}

/** Undefined where it is none, or one that would take too long or too much memory to check. */
export function readPasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt = '', hash = ''] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(
      text,
    ) ?? [];
  const read = {
    cost: 2 ** Number(ln),
    blockSize: Number(r),
    parallelization: Number(p),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  const isUsable =
    Number(ln) >= 10 &&
    Number(r) >= 1 &&
    Number(p) >= 1 &&
    memoryOf(read) * read.parallelization <= mostMemory;
  return isUsable ? read : undefined;
}

export async function isPassword(password: string, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, known), known.hash);
}

function derive(password: string, known: PasswordHash): Promise<Buffer> {
  const { cost, blockSize, parallelization, salt, hash } = known;
  const options = { cost, blockSize, parallelization, maxmem: 2 * mostMemory };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function memoryOf({ cost, blockSize }: PasswordHash): number {
  return 128 * cost * blockSize;
}

function written(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
