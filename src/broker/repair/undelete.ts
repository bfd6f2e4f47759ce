import { auditEntry } from '../audit.ts';
import type { UndeleteInstance } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { busy } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { startStop } from '../requests/start-stop.ts';
import { findListed, mostDecisions } from './purge.ts';

/**
 * Brings back an instance that was deleted and is kept, and starts it. Its bindings are gone, and its platform has to be
 * told of it.
 * @throws Refusal 'not-found', 'busy' while it is being removed, and 'conflict' for one that was not deleted
 */
export async function undeleteInstance(
  core: RequestContext,
  { instanceId, origin }: UndeleteInstance,
): Promise<Outcome<ServiceInstance>> {
  const summary = () => ({ kind: 'undelete', instanceId }) as const;
  const record = await tellEnd(core.observe, { origin, summary }, () =>
    bringBack(core, { instanceId, origin }),
  );
  const plan = await core.planOf(record);
  if (!record.stopped || !core.provisioner(plan.making.provisioner).units?.start)
    return { is: 'done', record };
  return startStop(core, { instanceId, origin, acceptsIncomplete: true }, 'start');
}

async function bringBack(
  core: RequestContext,
  { instanceId, origin }: UndeleteInstance,
): Promise<ServiceInstance> {
  for (let tries = 0; tries < mostDecisions; tries += 1) {
    const { instance, operation } = await findListed(core, instanceId);
    const { version, protectedFrom, keptUntil } = instance;
    if (operation) return busy();
    if (!keptUntil) throw new Refusal('conflict', 'The service instance has not been deleted.');
    const audit = auditEntry(core, origin, {
      verb: 'undelete',
      object: { kind: 'instance', instanceId },
      before: { kept_until: keptUntil.toISOString() },
      outcome: 'succeeded',
    });
    const mark = { instanceId, version, protectedFrom, keptUntil: undefined };
    if (await core.store.mark(mark, audit)) return instance;
  }
  return busy();
}
