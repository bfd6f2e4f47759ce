/** An authority as the rules see it. */
export interface Root {
  readonly generation: number;
  readonly notAfter: Date;
  /** From when on it signs in place of all before it; absent: when those come to their end. */
  readonly signsFrom?: Date | undefined;
}

/** What the authorities that there are come to. */
export interface Succession<Of extends Root> {
  readonly all: readonly Of[];
  /** Those that may have signed what is in use, or will sign next, the oldest first: who verifies takes them all. */
  readonly trusted: readonly Of[];
  /** Who signs; absent: nobody can. */
  readonly signer?: Of;
  /** The number of the one that has to be made; absent: none. */
  readonly next?: number;
}

const day = 86_400_000;

/** Milliseconds. */
export const leafLife = 90 * day;
/** Milliseconds. */
export const rootLife = 3650 * day;

/** Milliseconds that the clocks of brokers may differ: one may still sign by the old authority. */
const lateness = day;

/**
 * The next authority is made when the newest has lived half of its life, and handed out from then on; the oldest goes on
 * signing until it could not outlive two certificates. So who has bound within the last years trusts the next one already
 * when it signs for the first time, and nothing needs to be remembered but the authorities themselves. One that an operator
 * has made before its time signs when it was said; those before it are handed out until the last that they have signed
 * has ended.
 */
export function decideSuccession<Of extends Root>(all: readonly Of[], now: Date): Succession<Of> {
  const leftOf = ({ notAfter }: Root) => notAfter.getTime() - now.getTime();
  const signsSince = ({ signsFrom }: Root) => signsFrom && now.getTime() - signsFrom.getTime();
  const living = all.filter((root) => leftOf(root) > 0);
  const called = living.findLast((root) => (signsSince(root) ?? -1) >= 0);
  const isFollowed = (root: Root) => called !== undefined && root.generation < called.generation;
  const isOutlived = called !== undefined && (signsSince(called) ?? 0) > leafLife + lateness;
  const signer = living.find((root) => !isFollowed(root) && leftOf(root) > 2 * leafLife);
  const newest = all.at(-1);
  const isDue = !newest || leftOf(newest) < rootLife / 2;
  return {
    all,
    trusted: living.filter((root) => !(isOutlived && isFollowed(root))),
    signer,
    next: isDue ? (newest?.generation ?? 0) + 1 : undefined,
  };
}
