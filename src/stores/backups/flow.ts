import { createHash } from 'node:crypto';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoredBytes } from '../../broker/records.ts';

/** Passes on what it is given, and knows what it was. */
export function meter(): { readonly stream: Transform; readonly stored: () => StoredBytes } {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, stored: () => ({ size, sha256: hash.digest('hex') }) };
}

/**
 * Has `fill` write into `first`, and what comes out of it go to `last`, until both have ended.
 * @throws what went wrong first
 */
export async function runThrough(
  first: Transform,
  last: Writable,
  fill: (to: Writable) => Promise<void>,
): Promise<void> {
  let cause: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    cause ??= { error };
    first.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  await Promise.all([pipeline(first, last).catch(fail), fill(first).catch(fail)]);
  if (cause) throw cause.error;
}
