/** An authority as the rules see it. */
export interface Root {
  readonly generation: number;
  readonly notAfter: Date;
}

/** What the authorities that there are come to. */
export interface Succession<Of extends Root> {
  readonly all: readonly Of[];
  /** Those that have not ended, the oldest first: who verifies takes them all. */
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

/**
 * The next authority is made when the newest has lived half of its life, and handed out from then on; the oldest goes on
 * signing until it could not outlive two certificates. So who has bound within the last years trusts the next one already
 * when it signs for the first time, and nothing needs to be remembered but the authorities themselves.
 */
export function decideSuccession<Of extends Root>(all: readonly Of[], now: Date): Succession<Of> {
  const leftOf = ({ notAfter }: Root) => notAfter.getTime() - now.getTime();
  const trusted = all.filter((root) => leftOf(root) > 0);
  const signer = trusted.find((root) => leftOf(root) > 2 * leafLife);
  const newest = all.at(-1);
  const isDue = !newest || leftOf(newest) < rootLife / 2;
  return { all, trusted, signer, next: isDue ? (newest?.generation ?? 0) + 1 : undefined };
}
