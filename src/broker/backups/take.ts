import { refuseUnready } from '../state.ts';
import type { BackUp } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import { busy, type Decision, newOperation } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import type { Backup } from '../backups.ts';
import type { FoundInstance, OperationKind, ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import type { ServicePlan } from '../catalog.ts';

export interface BackedUp {
  readonly outcome: Outcome<ServiceInstance>;
  /** Of one that is done. */
  readonly backup?: Backup | undefined;
}

/**
 * Makes a backup of an instance, as its offering says how. One that is being made already is the one that is asked for.
 * @throws Refusal 'not-found', 'busy', 'not-ready', and 'unsupported' when it cannot be
 */
export async function takeBackup(core: RequestContext, command: BackUp): Promise<BackedUp> {
  const { instanceId, origin } = command;
  let id = '';
  const outcome = await core.engine.run<ServiceInstance>(command, async () => {
    const found = await core.store.findInstance(instanceId);
    const decision = decideOn(found, 'backup', () => true);
    if (!found || decision !== 'start') {
      if (typeof decision === 'object' && 'join' in decision) id = decision.join.id;
      return decision as Decision<ServiceInstance>;
    }
    const plan = await core.planOf(found.instance);
    requireAble(core, plan, 'backup');
    const fresh = newOperation(core, plan, 'backup', { instanceId, origin });
    const operation = { ...fresh, id: command.operationId ?? fresh.id };
    id = operation.id;
    return { start: { plan, operation, instance: { put: found.instance } } };
  });
  return { outcome, backup: outcome.is === 'done' ? await core.store.backups.find(id) : undefined };
}

/** @param isSame is the open operation of this kind the one that is asked for? */
export function decideOn(
  found: FoundInstance | undefined,
  kind: OperationKind,
  isSame: (open: NonNullable<FoundInstance['operation']>) => boolean,
): 'start' | Decision<ServiceInstance> {
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { instance, operation } = found;
  if (operation?.kind === kind && isSame(operation))
    return { join: operation, record: instance, answers: true };
  if (meet(kind, found) === 'busy') return busy();
  if (!instance.ready) throw refuseUnready(instance, 'The service instance was never finished. Delete it.');
  return 'start';
}

/** @throws Refusal 'unsupported' */
export function requireAble(core: RequestContext, plan: ServicePlan, deed: 'backup' | 'restore'): void {
  if (!core.backups)
    throw new Refusal(
      'unsupported',
      'This broker has no place for backups: BACKUP_DIR is not set, nor BACKUP_S3_URL.',
    );
  if (core.provisioner(plan.making.provisioner).backups?.can(plan, deed)) return;
  const done = deed === 'backup' ? 'backed up' : 'restored';
  throw new Refusal(
    'unsupported',
    `Instances of the plan '${plan.name}' cannot be ${done}: as this one was made, its offering does not say how. ` +
      `If it does by now, upgrade the instance first.`,
  );
}
