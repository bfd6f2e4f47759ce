import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { HashedLogin } from '../protocols/protocol.ts';
import { createTurns } from './turns.ts';

/** Finds the account of a header whose password takes long to check. */
export interface SlowChecks {
  /** At once, of a header that was right before. */
  known(accounts: readonly HashedLogin[], header: string): HashedLogin | undefined;
  /**
   * @param given what the header says
   * @param address where it comes from: each has turns of its own
   */
  check(
    accounts: readonly HashedLogin[],
    header: string,
    given: { readonly username: string; readonly password: string },
    address: string,
  ): Promise<HashedLogin | undefined>;
}

/** Headers whose end is remembered, of each list of accounts. */
const mostRemembered = 1000;
const atOnce = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));

/**
 * What was checked once is remembered, by a digest whose key ends with the process, and forgotten with the list of
 * accounts. Only a few are checked at once, so that who guesses does not take the processor from everybody else.
 */
export function createSlowChecks(): SlowChecks {
  const key = randomBytes(32);
  const turns = createTurns(atOnce);
  const memories = new WeakMap<readonly HashedLogin[], Memory>();

  function memoryOf(accounts: readonly HashedLogin[]): Memory {
    const memory = memories.get(accounts) ?? { right: new Map(), wrong: new Set(), going: new Map() };
    memories.set(accounts, memory);
    return memory;
  }
  const digest = (header: string) => createHmac('sha256', key).update(header).digest('base64');

  return {
    known(accounts, header) {
      const { right } = memoryOf(accounts);
      return right.size === 0 ? undefined : right.get(digest(header));
    },
    async check(accounts, header, { username, password }, address) {
      const account = accounts.find((one) => one.username === username);
      if (!account) return undefined;
      const mark = digest(header);
      const { right, wrong, going } = memoryOf(accounts);
      if (wrong.has(mark)) return undefined;
      const begun =
        going.get(mark) ?? turns.take(`${username}\0${address}`, () => isRight(account, password));
      going.set(mark, begun);
      try {
        const isGood = await begun;
        if (isGood) remember(right, () => right.set(mark, account));
        else remember(wrong, () => wrong.add(mark));
        return isGood ? account : undefined;
      } finally {
        going.delete(mark);
      }
    },
  };
}

interface Memory {
  readonly right: Map<string, HashedLogin>;
  readonly wrong: Set<string>;
  readonly going: Map<string, Promise<boolean>>;
}

async function isRight({ passwords }: HashedLogin, password: string): Promise<boolean> {
  for (const isIt of passwords) if (await isIt(password)) return true;
  return false;
}

function remember(memory: Map<string, HashedLogin> | Set<string>, add: () => void): void {
  add();
  for (const oldest of memory.keys()) {
    if (memory.size <= mostRemembered) break;
    memory.delete(oldest);
  }
}
