import { randomInt } from 'node:crypto';
import type { UserRange, Users } from '../../broker/nodes.ts';
import type { Tables } from './tables.ts';

export function usersOf(tables: Tables): Users {
  const { users, now } = tables;
  return {
    async take(node, owner, range, busy = []) {
      const had = find(tables, node, owner);
      const uid = had ?? findFree(tables, range, busy);
      if (uid !== undefined) users.set(uid, { node, owner });
      return uid;
    },
    find: async (node, owner) => find(tables, node, owner),
    async release(node, owner) {
      const uid = find(tables, node, owner);
      if (uid !== undefined) users.set(uid, { node, freeSince: now() });
    },
  };
}

function find({ users }: Tables, node: string, owner: string): number | undefined {
  return [...users].find(([, row]) => row.node === node && row.owner === owner)?.[0];
}

function findFree(
  { users }: Tables,
  { first, last }: UserRange,
  busy: readonly number[],
): number | undefined {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    (uid) => !busy.includes(uid),
  );
  const unused = numbers.filter((uid) => !users.has(uid));
  if (unused.length > 0) return unused[randomInt(unused.length)];
  const since = (uid: number) => users.get(uid)?.freeSince ?? Infinity;
  return numbers
    .filter((uid) => users.get(uid)?.owner === undefined)
    .toSorted((a, b) => since(a) - since(b))[0];
}
