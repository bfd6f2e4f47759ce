import type { RestoreBackup } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { type Decision, newOperation } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import type { Backup } from '../backups.ts';
import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { decideOn, requireAble } from './take.ts';

/**
 * Puts what a backup holds in place of what an instance holds: the one that it was made of, or another one of the same
 * offering, which keeps its own users and credentials.
 * @throws Refusal 'not-found', 'busy', 'not-ready', 'invalid' for one of another offering, and 'unsupported'
 */
export async function restoreBackup(
  core: RequestContext,
  command: RestoreBackup,
): Promise<Outcome<ServiceInstance>> {
  const backup = await requireBackup(core, command.backupId);
  const { into: instanceId = backup.instanceId, origin, acceptsIncomplete } = command;
  return core.engine.run({ origin, acceptsIncomplete }, async () => {
    const found = await core.store.findInstance(instanceId);
    if (!found && command.into === undefined)
      throw new Refusal(
        'not-found',
        'The service instance of this backup is gone. Name another one of the same offering to restore it into.',
      );
    const decision = decideOn(found, 'restore', ({ confidential }) => confidential.backup?.id === backup.id);
    if (!found || decision !== 'start') return decision as Decision<ServiceInstance>;
    const { instance } = found;
    if (instance.offeringId !== backup.offeringId)
      throw new Refusal('invalid', 'The backup is of an instance of another offering.', 'into');
    const plan = await core.planOf(instance);
    requireAble(core, plan, 'restore');
    const { id, name, stored, confidential: own } = backup;
    if (!own) throw new Refusal('unreadable', cannotBeRead);
    const confidential = { backup: { id, name, stored }, backupKey: own.key };
    const operation = newOperation(core, plan, 'restore', { instanceId, origin, confidential });
    return { start: { plan, operation, instance: { put: instance } } };
  });
}

const cannotBeRead =
  'The service broker cannot read what this backup was encrypted with. Its operator must look into it.';

/** @throws Refusal 'not-found' */
async function requireBackup({ store }: RequestContext, id: string): Promise<Backup> {
  const backup = await store.backups.find(id);
  if (backup && !backup.removing) return backup;
  throw new Refusal('not-found', 'There is no backup with this id.');
}
