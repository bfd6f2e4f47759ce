import type { ServicePlan } from '../catalog.ts';
import type { Adopt } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { keyInName, keyOf } from '../key.ts';
import { busy, type Decision, newOperation } from '../operations/intent.ts';
import { demandToMake } from '../operations/placement.ts';
import type { Scope, Suspect } from '../orphans.ts';
import type { Outcome } from '../outcome.ts';
import type { FoundInstance, ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { decideParameters } from '../requests/decide-parameters.ts';
import { requireNotKept } from '../requests/kept.ts';
import { requireParameters } from '../requests/parameters.ts';
import { newInstance, withDashboard } from '../requests/provision.ts';

/**
 * Makes an instance of what is there already: an orphan, or something that no broker has made. It gets the key of the
 * thing, so of two that want the same thing one comes too late, whatever they call it.
 * @throws Refusal 'invalid', 'unsupported' where nothing of its kind can be adopted, and 'conflict' for a thing that is of
 * an instance or is to be removed, and for an id that is in use
 */
export function adopt(core: RequestContext, command: Adopt): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, () => decide(core, command));
}

async function decide(core: RequestContext, command: Adopt): Promise<Decision<ServiceInstance>> {
  const { instanceId, origin, thing, parameters } = command;
  const plan = requireOffered(core, command);
  const suspects = (await core.orphans.list()).filter(({ resource }) => resource.name === thing);
  const where = requireScope(core, command, plan, suspects);
  const key = keyInName(thing) ?? keyOf('adopted', where.provisioner, where.node ?? '', thing);
  const found = await core.books.findInstance(instanceId);
  if (found) return decideAgain(found, plan, key);
  if (!(await core.orphans.isNobodys(where, { name: thing, key })))
    throw new Refusal('conflict', `${thing} belongs to a service instance already.`, 'thing');
  if (suspects.some((one) => isAt(one, where) && one.removalApproved))
    throw new Refusal('conflict', `${thing} is to be removed, as an operator has said.`, 'thing');
  await decideParameters(parameters, () => requireParameters(core, plan, 'provision', parameters));
  const { offeringId, id: planId } = plan;
  const asked = { ...command, offeringId, planId, context: {}, requester: origin.identity };
  const made = { ...newInstance(core, asked, plan, undefined), key };
  const record = withDashboard(made, plan, core.settings.url);
  const { node } = where;
  const there = node === undefined ? undefined : { place: { node, cost: plan.operating.cost } };
  const demand = demandToMake(core, plan, record, there);
  const operation = newOperation(core, plan, 'adopt', {
    instanceId,
    origin,
    confidential: { asked: { thing } },
  });
  return { start: { plan, operation, instance: { put: record }, demand } };
}

/** The same asked for again is done, or being done. */
function decideAgain(found: FoundInstance, plan: ServicePlan, key: string): Decision<ServiceInstance> {
  requireNotKept(found);
  const { instance, operation } = found;
  if (instance.key !== key || instance.planId !== plan.id)
    throw new Refusal(
      'conflict',
      'A service instance with this id exists already, and is of something else.',
    );
  if (operation?.kind === 'adopt') return { join: operation, record: instance, answers: true };
  return operation ? busy() : { is: 'unchanged', record: instance };
}

function requireOffered(core: RequestContext, { offering: asked, plan: wanted }: Adopt): ServicePlan {
  const is = (name: string) => (one: { readonly id: string; readonly name: string }) =>
    one.id === name || one.name === name;
  const offering = core.catalog().offerings.find(is(asked));
  if (!offering) throw new Refusal('invalid', `There is no offering '${asked.slice(0, 80)}'.`, 'offering');
  const plan = offering.plans.find(is(wanted));
  if (!plan) throw new Refusal('invalid', `'${offering.name}' has no plan '${wanted.slice(0, 80)}'.`, 'plan');
  if (core.provisioner(plan.making.provisioner).adopt) return plan;
  throw new Refusal('unsupported', `What exists already cannot become an instance of '${offering.name}'.`);
}

/** Where it is: local things are of a node, which the look for orphans may know. */
function requireScope(
  core: RequestContext,
  { node: said }: Adopt,
  { making: { provisioner } }: ServicePlan,
  suspects: readonly Suspect[],
): Scope {
  if (core.provisioner(provisioner).traits.local !== true) return { provisioner };
  const nodes = suspects.filter((one) => one.provisioner === provisioner).map(({ node }) => node);
  const node = said ?? (nodes.length === 1 ? nodes[0] : undefined);
  if (node !== undefined) return { provisioner, node };
  throw new Refusal('invalid', 'node is missing: it says where the thing is.', 'node');
}

function isAt({ provisioner, node }: Suspect, where: Scope): boolean {
  return provisioner === where.provisioner && node === where.node;
}
