// The broker's own authority, and the certificates that it issues to what it makes.
import type { Authorities, Authority, AuthorityInForce, Certificates } from '../../broker/nodes.ts';
import { createRoot, lifeOf, signLeaf } from './sign.ts';
import { decideSuccession, type Root, type Succession } from './succession.ts';

/** @param now the clock; tests hand in one that they move */
export function createCertificates(
  authorities: Authorities,
  now: () => Date = () => new Date(),
): Certificates {
  let last: { readonly at: number; readonly found: AuthorityInForce } | undefined;
  return {
    async issue(names) {
      const { signer, trusted } = await current(authorities, now());
      const issued = await signLeaf(signer, names, now());
      return { ...issued, authority: signer.generation, roots: pemOf(trusted) };
    },
    async inForce(atMost) {
      const at = now().getTime();
      if (last && at >= last.at && at - last.at < atMost) return last.found;
      const { signer, trusted } = await current(authorities, now());
      last = { at, found: { signer: signer.generation, roots: pemOf(trusted) } };
      return last.found;
    },
  };
}

export type KnownRoot = Root & Authority & { readonly notBefore: Date };

/** With the next authority made when it is time. Of several brokers that make it at once one is first, for all of them. */
async function current(
  authorities: Authorities,
  now: Date,
): Promise<Succession<KnownRoot> & { readonly signer: KnownRoot }> {
  const before = decideSuccession(await rootsOf(authorities), now);
  if (before.next !== undefined) await authorities.add(await createRoot(before.next, now));
  const after = decideSuccession(before.next === undefined ? before.all : await rootsOf(authorities), now);
  const { signer } = after;
  if (!signer) throw new Error('There is no authority that could sign a certificate.');
  return { ...after, signer };
}

export async function rootsOf(authorities: Authorities): Promise<readonly KnownRoot[]> {
  return (await authorities.list()).map((one) => ({ ...one, ...lifeOf(one.certificate) }));
}

function pemOf(roots: readonly Authority[]): string {
  return roots.map(({ certificate }) => certificate).join('');
}
