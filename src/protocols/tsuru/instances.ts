import type { Provision } from '../../broker/broker.ts';
import { Failure, Refusal } from '../../broker/errors.ts';
import type { InstanceEntry } from '../../broker/overview.ts';
import type { Origin } from '../../broker/records.ts';
import type { Call, Reply } from '../protocol.ts';
import { coerceParameters } from './coerce.ts';
import { readFields, type Fields } from './fields.ts';
import { offeringIn, requireInstanceId } from './names.ts';
import { choosePlan, requireOffering } from './offering.ts';
import { emptyReply } from './replies.ts';
import { readContext, readOrigin } from './requests.ts';
import { toEnd } from './to-end.ts';
import { requireEntry, type World } from './world.ts';

/**
 * 201 at once: the work goes on, and `status` tells when it is done. tsuru forgets an instance whose creation was
 * refused, so nothing of such a one stays either.
 */
export async function create(world: World, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const command = readProvision(world, call, fields);
  try {
    await provision(world, command);
  } catch (error) {
    if (error instanceof Failure) await removeFailed(world, command);
    throw error;
  }
  return emptyReply(201);
}

function readProvision(world: World, call: Call, fields: Fields): Provision {
  const name = offeringIn(call);
  const offering = requireOffering(world, name);
  const instanceName = fields.text('name') ?? '';
  const instanceId = requireInstanceId(name, fields.text('name'));
  const plan = choosePlan(offering, fields.text('plan'));
  return {
    instanceId,
    offeringId: offering.id,
    planId: plan.id,
    parameters: coerceParameters(plan, 'provision', fields.parameters),
    context: { ...readContext(fields), instance_name: instanceName },
    acceptsIncomplete: true,
    origin: readOrigin(call, fields),
  };
}

/** What is left of one that failed earlier, which tsuru has forgotten, does not stand in the way of its name. */
async function provision(world: World, command: Provision): Promise<void> {
  try {
    await world.broker.provision(command);
  } catch (error) {
    const isTaken = error instanceof Refusal && error.code === 'conflict';
    if (!isTaken || !(await removeFailed(world, command))) throw error;
    await world.broker.provision(command);
  }
}

/** Gives whether there was one. */
async function removeFailed(world: World, { instanceId, origin }: Provision): Promise<boolean> {
  const [entry] = await world.overview.instances({ instanceId, limit: 1 });
  if (entry?.state !== 'failed') return false;
  await deprovision(world, entry, origin);
  return true;
}

/** Team, description and tags at any time; plan and parameters where the plan allows it. */
export async function update(world: World, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const { instance } = await requireEntry(world, call);
  const { id: instanceId, offeringId } = instance;
  const offering = world.broker.catalog().offerings.find(({ id }) => id === offeringId);
  const named = fields.text('plan');
  const plan = named === undefined ? undefined : choosePlan(requireOffering(world, offeringIn(call)), named);
  const target = plan ?? offering?.plans.find(({ id }) => id === instance.planId) ?? {};
  await toEnd(world, (acceptsIncomplete) =>
    world.broker.update({
      instanceId,
      offeringId,
      ...(plan ? { planId: plan.id } : {}),
      parameters: coerceParameters(target, 'update', fields.parameters),
      context: { ...instance.context, ...readContext(fields) },
      acceptsIncomplete,
      origin: readOrigin(call, fields),
    }),
  );
  return emptyReply(200);
}

/** Waits for the end: afterwards nothing is there any more. */
export async function destroy(world: World, call: Call): Promise<Reply> {
  const origin = readOrigin(call, readFields(call));
  const entry = await requireEntry(world, call);
  const bound = await world.apps.bound(entry.instance.id);
  if (bound.length > 0) {
    throw new Failure('bound', `Still bound to the instance: ${bound.join(', ')}. Unbind this first.`);
  }
  const outcome = await deprovision(world, entry, origin);
  if (outcome.is === 'absent') throw new Refusal('not-found', 'There is no such instance.');
  return emptyReply(200);
}

function deprovision(world: World, { instance }: InstanceEntry, origin: Origin) {
  const { id: instanceId, offeringId, planId } = instance;
  return toEnd(world, (acceptsIncomplete) =>
    world.broker.deprovision({ instanceId, offeringId, planId, acceptsIncomplete, origin }),
  );
}

/** As the catalog has them for every platform. */
export function plans(world: World, call: Call): Reply {
  const offering = requireOffering(world, offeringIn(call));
  return { status: 200, body: offering.plans.map(({ name, description }) => ({ name, description })) };
}

/** Labels and values for people, all of them texts, none of them secret: no dashboard, since its address is. */
export async function info(world: World, call: Call): Promise<Reply> {
  const { instance, plan, state, status } = await requireEntry(world, call);
  const bound = await world.apps.bound(instance.id);
  const description = instance.context['description'];
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['Plan', plan],
    ['State', state],
    ['Status', `${status.status}: ${status.reason}`],
    ['Address', status.addresses.join(', ')],
    ['Bound to', bound.join(', ')],
    ['Description', typeof description === 'string' ? description : undefined],
    ['Created', instance.createdAt.toISOString()],
  ];
  return {
    status: 200,
    body: pairs.filter(([, value]) => value).map(([label, value]) => ({ label, value })),
  };
}
