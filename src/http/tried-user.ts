import { createHmac, randomBytes } from 'node:crypto';
import type { Login } from '../protocols/protocol.ts';

/**
 * Who tried to log in, as it may be logged. People paste passwords into the place of the name, so only a name that
 * somebody has is shown; any other becomes a mark of its own, by which repeated tries are seen to be the same and
 * which tells nothing else: it is made with a key that ends with the process.
 */
export function createTriedUser(): (name: string, known: readonly Pick<Login, 'username'>[]) => string {
  const key = randomBytes(32);
  return function nameTried(name, known) {
    if (known.some(({ username }) => username === name)) return name;
    return `unknown-${createHmac('sha256', key).update(name).digest('hex').slice(0, 8)}`;
  };
}
