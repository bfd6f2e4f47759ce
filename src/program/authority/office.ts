// What operators see of authorities, and the change to another one before its time.
import { auditEntry } from '../../broker/audit.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import { tellEnd } from '../../broker/events.ts';
import type { Authorities, AuthorityOffice, AuthorityState, RenewAuthority } from '../../broker/nodes.ts';
import { type KnownRoot, rootsOf } from './certificates.ts';
import { createRoot } from './sign.ts';
import { decideSuccession } from './succession.ts';

/** What it needs of what the core has. */
export type OfficeContext = Pick<BrokerContext, 'observe' | 'newId' | 'settings' | 'now'>;

export function createAuthorityOffice(authorities: Authorities, context: OfficeContext): AuthorityOffice {
  const list = async () => statesOf(await rootsOf(authorities), context.now());
  return {
    list,
    renew(command) {
      const { generation, signsAfter, origin } = command;
      const summary = () => ({ kind: 'renew-authority', generation, signsAfter }) as const;
      return tellEnd(context.observe, { origin, summary }, async () => {
        await renew(authorities, context, command);
        const found = (await list()).find((one) => one.generation === generation);
        if (!found) throw new Error(`The authority ${generation} is not there.`);
        return found;
      });
    },
  };
}

/** Tries that others may disturb: each time one of them has succeeded. */
const tries = 5;

/** Each try goes on from what is there, so it may be repeated after any death. */
async function renew(
  authorities: Authorities,
  context: OfficeContext,
  { generation, signsAfter, origin }: RenewAuthority,
): Promise<void> {
  for (let count = 0; count < tries; count += 1) {
    const now = context.now();
    const roots = await rootsOf(authorities);
    const found = roots.find((one) => one.generation === generation);
    if (found && statesOf(roots, now).some((one) => one.generation === generation && one.signs)) return;
    requireNext(roots, generation, now);
    const signsFrom = new Date(now.getTime() + signsAfter);
    const audit = auditEntry(context, origin, {
      verb: 'renew-authority',
      object: { kind: 'authority', id: String(generation) },
      before: found?.signsFrom && { signs_from: found.signsFrom.toISOString() },
      after: { signs_from: signsFrom.toISOString() },
      outcome: 'succeeded',
    });
    const done = found
      ? await authorities.schedule(found, signsFrom, audit)
      : await authorities.add({ ...(await createRoot(generation, now)), signsFrom }, audit);
    if (done) return;
  }
  throw new Refusal('unavailable', 'Others change the authorities at the same time. Try again.');
}

/** It may be the next one, or one that waits; never one whose time is over, nor one that would leave a gap. */
function requireNext(roots: readonly KnownRoot[], generation: number, now: Date): void {
  const signer = decideSuccession(roots, now).signer?.generation ?? 0;
  const newest = roots.at(-1)?.generation ?? 0;
  if (generation > signer && generation <= newest + 1) return;
  const next = newest > signer ? newest : newest + 1;
  throw new Refusal('conflict', `The authority that can be made to sign is ${next}.`, 'generation');
}

function statesOf(roots: readonly KnownRoot[], now: Date): readonly AuthorityState[] {
  const { signer, trusted } = decideSuccession(roots, now);
  return roots.map((root) => {
    const { generation, signsFrom, notBefore, notAfter } = root;
    return {
      generation,
      signsFrom,
      notBefore,
      notAfter,
      signs: root === signer,
      trusted: trusted.includes(root),
    };
  });
}
