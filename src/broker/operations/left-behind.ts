// What a removal finds left of others, and what one by force could not remove: looked for, told and forgotten.
import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { instanceKey } from '../key.ts';
import type { Provisioner } from '../provisioner.ts';
import type {
  Operation,
  OperationFailure,
  OperationKind,
  ServiceBinding,
  ServiceInstance,
} from '../records.ts';
import type { LeasedOperation, Settlement } from '../store.ts';
import { underLimit } from '../timing.ts';
import { runUnderLease } from './lease.ts';
import { isNowhere } from './placement.ts';

/** Milliseconds that a look for what is left may take. */
const lookLimit = 10_000;

/** Tries in a row of a removal by force, before what cannot be removed is left where it is. */
export const mostForcedTries = 3;

export function isForced({ kind, confidential }: Operation): boolean {
  return kind === 'deprovision' && confidential.force === true;
}

/** The instance goes from the books all the same, and it is told what stays. */
export async function leaveBehind(
  core: BrokerContext,
  plan: ServicePlan,
  held: LeasedOperation,
  { detail, sentence }: OperationFailure,
): Promise<Settlement> {
  const { signal: untilItEnds } = new AbortController();
  const looked = await runUnderLease(core, held, untilItEnds, () => findLeft(core, plan, held.instance));
  const left = `Left behind: ${(looked.result ?? [unseen]).join(', ') || 'nothing that can be seen'}.`;
  return { instance: { remove: held.instance }, left: `${left} ${detail ?? sentence}` };
}

const unseen = 'what could not be looked for';

/** By the names that the list of orphans has for it. */
export async function findLeft(
  core: BrokerContext,
  plan: ServicePlan,
  instance: ServiceInstance,
): Promise<readonly string[]> {
  const key = instanceKey(instance);
  try {
    const provisioner = core.provisioner(plan.making.provisioner);
    const found = await underLimit(lookLimit, async () => (await provisioner.inventory?.()) ?? []);
    const own = found.filter((thing) =>
      thing.key === undefined ? thing.instanceId === instance.id : thing.key === key,
    );
    return own.map(({ name }) => name);
  } catch {
    return [unseen];
  }
}

/** Bindings that the platform left behind are unbound first: what they made may lie outside the instance. */
export async function findLeftOver(
  { store, credentialStore }: BrokerContext,
  provisioner: Provisioner,
  held: LeasedOperation,
): Promise<ServiceBinding | undefined> {
  const mayLieOutside = credentialStore || (provisioner.unbind && !provisioner.traits.selfContained);
  if (held.operation.kind !== 'deprovision' || !(mayLieOutside || isKeeping(held))) return undefined;
  return store.leftBinding(held.instance.id);
}

/** Is it a deletion that removes bindings alone, for now? */
export function isKeeping({ operation: { kind, confidential } }: LeasedOperation): boolean {
  return kind === 'deprovision' && confidential.keep !== undefined;
}

/** Nothing is there with which it could be done. */
export function isIdle(
  core: BrokerContext,
  plan: ServicePlan,
  held: LeasedOperation,
  now: OperationKind,
): boolean {
  if (isKeeping(held)) return now === 'stop' && !core.provisioner(plan.making.provisioner).units?.stop;
  return deedOf(held) === 'deprovision' && isNowhere(core, plan, held.instance);
}

/** An open operation that has failed is being undone: by the opposite deed. */
export function deedOf({ operation: { kind, failure } }: LeasedOperation): OperationKind {
  if (!failure) return kind;
  return kind === 'bind' ? 'unbind' : 'deprovision';
}
