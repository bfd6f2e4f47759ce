// The broker's own authority, and the certificates that it issues to what it makes.
import type { Authorities, Authority, Certificates } from '../../broker/nodes.ts';
import { createRoot, expiryOf, signLeaf } from './sign.ts';
import { decideSuccession, type Root } from './succession.ts';

/** @param now the clock; tests hand in one that they move */
export function createCertificates(
  authorities: Authorities,
  now: () => Date = () => new Date(),
): Certificates {
  return {
    async issue(names) {
      const { signer } = await current(authorities, now());
      return signLeaf(signer, names, now());
    },
    async roots() {
      const { trusted } = await current(authorities, now());
      return trusted.map(({ certificate }) => certificate).join('');
    },
  };
}

/** With the next authority made when it is time. Of several brokers that make it at once one is first, for all of them. */
async function current(authorities: Authorities, now: Date) {
  const before = decideSuccession(await rootsOf(authorities), now);
  if (before.next !== undefined) await authorities.add(await createRoot(before.next, now));
  const after = decideSuccession(before.next === undefined ? before.all : await rootsOf(authorities), now);
  const { signer } = after;
  if (!signer) throw new Error('There is no authority that could sign a certificate.');
  return { ...after, signer };
}

async function rootsOf(authorities: Authorities): Promise<readonly (Root & Authority)[]> {
  return (await authorities.list()).map((one) => ({ ...one, notAfter: expiryOf(one.certificate) }));
}
