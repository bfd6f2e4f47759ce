import type { Names } from './names.ts';
import type { Access } from './servers.ts';
import type { Session } from './session.ts';

/** What an instance has on a server, while nobody else changes it. */
export interface Hold extends Names {
  /** In the administrator's own database. */
  readonly session: Session;
  readonly inside: Access['inside'];
}

/**
 * Waits until no other step is at work on this instance, whichever broker's it is. What an abandoned connection still
 * does counts as well, since its lock lasts as long.
 */
export function holding<Result>(
  { outside, inside }: Access,
  names: Names,
  use: (hold: Hold) => Promise<Result>,
): Promise<Result> {
  return outside(async (session) => {
    await session.ask('select pg_advisory_lock(hashtextextended($1, 0))', [names.key]);
    const result = await use({ ...names, session, inside });
    await unlock(session, names.key);
    return result;
  });
}

/** Does it only if nobody else is at work on the instance. */
export async function ifFree(session: Session, key: string, use: () => Promise<void>): Promise<void> {
  const [row] = await session.ask('select pg_try_advisory_lock(hashtextextended($1, 0)) as free', [key]);
  if (row?.['free'] !== true) return;
  await use();
  await unlock(session, key);
}

async function unlock(session: Session, key: string): Promise<void> {
  await session.ask('select pg_advisory_unlock(hashtextextended($1, 0))', [key]);
}
