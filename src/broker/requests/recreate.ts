import type { Recreate } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import { busy, type Decision, newOperation } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import { demandToMake } from '../operations/placement.ts';
import { newInstance, withDashboard } from './provision.ts';
import type { FoundInstance, ServiceInstance } from '../records.ts';
import { describeState } from '../state.ts';

/**
 * Makes an instance anew that was lost with its node: with the same id, plan and parameters, wherever there is room, and
 * with everything else new, secrets included. The plan is the one it was made from, whatever the catalog says by now, so
 * that it is what the platform believes it to be. What was left of it stays what it is, an orphan.
 */
export function recreate(core: RequestContext, command: Recreate): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await core.store.findInstance(command.instanceId);
    const decision = decideRecreate(found);
    if (!found || decision !== 'start') return decision as Decision<ServiceInstance>;
    return intend(core, command, found.instance);
  });
}

/** docs/lifecycle.md, What each request comes to: the column "recreate". */
export function decideRecreate(found: FoundInstance | undefined): 'start' | Decision<ServiceInstance> {
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { instance, operation } = found;
  if (operation?.kind === 'provision' && instance.lost)
    return { join: operation, record: instance, answers: true };
  if (meet('provision', found) === 'busy') return busy();
  if (describeState(found) === 'lost') return 'start';
  throw new Refusal(
    'conflict',
    'The service instance was not lost: only one whose node was given up can be made anew.',
  );
}

async function intend(
  core: RequestContext,
  { instanceId, origin }: Recreate,
  lost: ServiceInstance,
): Promise<Decision<ServiceInstance>> {
  const plan = await core.planOf(lost);
  const { offeringId, planId, organizationGuid, spaceGuid, context, parent } = lost;
  const command = {
    instanceId,
    offeringId,
    planId,
    parameters: lost.confidential.parameters,
    requester: lost.confidential.requester,
    organizationGuid,
    spaceGuid,
    context,
    parent,
  };
  const { maintenanceVersion: _current, ...made } = newInstance(core, command, plan, lost);
  const { maintenanceVersion } = lost;
  const { createdAt } = lost;
  const same = { ...made, createdAt, maintenanceVersion };
  const demand = demandToMake(core, plan, same);
  return {
    start: {
      plan,
      operation: newOperation(core, plan, 'provision', { instanceId, origin }),
      instance: { put: withDashboard(same, plan, core.settings.url) },
      demand,
    },
  };
}
