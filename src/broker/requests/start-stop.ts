import { refuseUnready } from '../state.ts';
import type { StartStop } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import { busy, type Decision, newOperation } from '../operations/intent.ts';
import { sameJson } from '../json.ts';
import type { Outcome } from '../outcome.ts';
import type { FoundInstance, Operation, ServiceInstance } from '../records.ts';

type Kind = 'start' | 'stop' | 'restart';

/**
 * Starts, stops or restarts units of an instance. What is at rest already is stopped once more, and what runs is started
 * once more: dead units may be among them. Once all have been stopped they shall be at rest, until all are started again.
 */
export function startStop(
  core: RequestContext,
  command: StartStop,
  kind: Kind,
): Promise<Outcome<ServiceInstance>> {
  const { instanceId, origin, units, sparing } = command;
  return core.engine.run(command, async () => {
    if (units?.length === 0) throw new Refusal('invalid', 'No unit is named.', 'units');
    const found = await core.store.findInstance(instanceId);
    const decision = decideStartStop(found, command, kind);
    if (!found || decision !== 'start') return decision as Decision<ServiceInstance>;
    const plan = await core.planOf(found.instance);
    if (!core.provisioner(plan.making.provisioner).units?.[kind]) {
      throw new Refusal(
        'unsupported',
        `Instances of the plan '${plan.name}' cannot be ${participles[kind]}.`,
      );
    }
    const confidential = { units, sparing };
    const operation = newOperation(core, plan, kind, { instanceId, origin, confidential });
    return { start: { plan, operation, instance: { put: found.instance } } };
  });
}

const participles: Readonly<Record<Kind, string>> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
};

/** docs/lifecycle.md, What each request comes to: the columns "start", "stop" and "restart". */
export function decideStartStop(
  found: FoundInstance | undefined,
  { units, version }: StartStop,
  kind: Kind,
): 'start' | Decision<ServiceInstance> {
  if (version !== undefined && found?.instance.version !== version) return { is: 'absent' };
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { instance, operation } = found;
  if (operation?.kind === kind && isOfSameUnits(operation, units))
    return { join: operation, record: instance, answers: true };
  if (meet(kind, found) === 'busy') return busy();
  if (!instance.ready) throw refuseUnready(instance, 'The service instance was never finished. Delete it.');
  return 'start';
}

function isOfSameUnits({ confidential }: Operation, units: readonly string[] | undefined): boolean {
  return sameJson(sorted(confidential.units), sorted(units));
}

function sorted(units: readonly string[] | undefined): readonly string[] {
  return units?.toSorted() ?? [];
}
