import { auditEntry } from '../audit.ts';
import type { ProtectInstance } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { busy } from '../operations/intent.ts';
import type { RequestContext } from '../requests/context.ts';
import { findListed, mostDecisions } from './purge.ts';

/**
 * Protects an instance against deletion, by whomever, or takes that away; also one of which nothing can be read. Said
 * once more it changes nothing.
 * @throws Refusal 'not-found', 'busy' while it is being deleted, and 'invalid' for one that goes with another
 */
export function protectInstance(
  core: RequestContext,
  { instanceId, protects, origin }: ProtectInstance,
): Promise<void> {
  const verb = protects ? 'protect' : 'unprotect';
  return tellEnd(core.observe, { origin, summary: () => ({ kind: verb, instanceId }) }, async () => {
    for (let tries = 0; tries < mostDecisions; tries += 1) {
      const { instance, operation } = await findListed(core, instanceId);
      const { version, protectedFrom, parent } = instance;
      if (operation?.kind === 'deprovision') return busy();
      if (protects && parent !== undefined)
        throw new Refusal(
          'invalid',
          `It was made for the instance '${parent}' and goes with it: protect that one.`,
        );
      const isSame = protects ? protectedFrom && protectedFrom <= core.now() : !protectedFrom;
      if (isSame) return undefined;
      const audit = auditEntry(core, origin, {
        verb,
        object: { kind: 'instance', instanceId },
        before: { protected_from: protectedFrom?.toISOString() ?? null },
        outcome: 'succeeded',
      });
      const { keptUntil } = instance;
      const mark = { instanceId, version, keptUntil, protectedFrom: protects ? core.now() : undefined };
      if (await core.store.mark(mark, audit)) return undefined;
    }
    return busy();
  });
}
