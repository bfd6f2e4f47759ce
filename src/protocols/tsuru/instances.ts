import type { Deprovision, Provision } from '../../broker/broker.ts';
import type { ServicePlan } from '../../broker/catalog.ts';
import { Failure, Refusal } from '../../broker/errors.ts';
import type { InstanceEntry } from '../../broker/operator-view.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Outcome } from '../../broker/outcome.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import type { Call, Reply } from '../protocol.ts';
import { coerceParameters } from './parameters/coerce.ts';
import { creatorIn, creatorOf, isSameCreate } from './creator.ts';
import { readFields, type Fields } from './parameters/fields.ts';
import { offeringIn, requireInstanceId } from './names.ts';
import { choosePlan, presentPlan, requireOffering } from './offering.ts';
import { emptyReply } from './replies.ts';
import { readContext, readEvent, readOrigin, readPlace } from './requests.ts';
import { waitForOperation } from './wait-for-operation.ts';
import { requireEntry, type TsuruContext } from './context.ts';

/**
 * 201 at once: the work goes on, and `status` tells when it is done. tsuru forgets an instance whose creation was
 * refused, so nothing of such a one stays either. A name that is taken is refused: who gets a 201 may bind.
 */
export async function create(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const command = readProvision(tsuru, call, fields);
  try {
    requireOwn(await provision(tsuru, command), command);
  } catch (error) {
    if (error instanceof Failure) await removeFailed(tsuru, command);
    throw error;
  }
  return emptyReply(201);
}

function readProvision(tsuru: TsuruContext, call: Call, fields: Fields): Provision {
  const name = offeringIn(call);
  const offering = requireOffering(tsuru, name);
  const instanceName = fields.text('name') ?? '';
  const instanceId = requireInstanceId(call, fields.text('name'));
  const plan = choosePlan(offering, fields.text('plan'));
  const created = creatorOf(fields.text('team'), readEvent(call, fields));
  return {
    instanceId,
    offeringId: offering.id,
    planId: plan.id,
    parameters: coerceParameters(plan, 'provision', fields.parameters),
    context: {
      ...readContext(fields),
      ...readPlace(call),
      instance_name: instanceName,
      plan: plan.name,
      created,
    },
    acceptsIncomplete: true,
    origin: readOrigin(call, fields),
    isGone: call.isGone,
  };
}

/** What is left of one that failed earlier, which tsuru has forgotten, does not stand in the way of its name. */
async function provision(tsuru: TsuruContext, command: Provision): Promise<Outcome<ServiceInstance>> {
  await removeFailed(tsuru, command, ({ context }) => !isOwn(context, command));
  try {
    return await tsuru.broker.provision(command);
  } catch (error) {
    const isTaken = error instanceof Refusal && error.code === 'conflict';
    if (!isTaken || !(await removeFailed(tsuru, command))) throw error;
    return tsuru.broker.provision(command);
  }
}

/** The record tells who was first, however many ask at once, and of whichever broker. */
function requireOwn(outcome: Outcome<ServiceInstance>, command: Provision): void {
  const record = 'record' in outcome ? outcome.record : undefined;
  if (record && isOwn(record.context, command)) return;
  throw new Refusal('conflict', 'There is an instance with this name already. Choose another name.', 'name');
}

function isOwn(context: JsonObject, command: Provision): boolean {
  return isSameCreate(creatorIn(context), creatorIn(command.context));
}

/** Gives whether there was one. */
async function removeFailed(
  tsuru: TsuruContext,
  { instanceId, origin }: Provision,
  applies: (instance: InstanceEntry['instance']) => boolean = () => true,
): Promise<boolean> {
  const [entry] = await tsuru.overview.instances({ instanceId, limit: 1 });
  if (entry?.state !== 'failed' || !applies(entry.instance)) return false;
  // One that has been made in its place since is not to be hit.
  await deprovision(tsuru, entry.instance, { origin, version: entry.instance.version });
  return true;
}

/**
 * All that tsuru knows of the instance, as it shall be from now on: what it does not name is no more. Plan and
 * parameters change where the plan allows it.
 */
export async function update(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const { instance } = await requireEntry(tsuru, call);
  const { id: instanceId, offeringId } = instance;
  const plan = findNewPlan(tsuru, call, fields, instance.context);
  const target = plan ?? (await presentPlan(tsuru, instance));
  await waitForOperation(tsuru, (acceptsIncomplete) =>
    tsuru.broker.update({
      instanceId,
      offeringId,
      planId: plan?.id,
      parameters: coerceParameters(target, 'update', fields.parameters),
      complete: true,
      context: updatedContext(instance.context, fields, plan),
      acceptsIncomplete,
      origin: readOrigin(call, fields),
      isGone: call.isGone,
    }),
  );
  return emptyReply(200);
}

/** tsuru names the plan each time, by what it was called when it was chosen, though it may not be sold any more. */
function findNewPlan(
  tsuru: TsuruContext,
  call: Call,
  fields: Fields,
  before: JsonObject,
): ServicePlan | undefined {
  const named = fields.text('plan');
  if (named === undefined || named === before['plan']) return undefined;
  return choosePlan(requireOffering(tsuru, offeringIn(call)), named);
}

function updatedContext(before: JsonObject, fields: Fields, plan: ServicePlan | undefined): JsonObject {
  const { description: _description, tags: _tags, ...kept } = before;
  const now = { ...kept, created: creatorIn(before), ...readContext(fields) };
  return plan ? { ...now, plan: plan.name } : now;
}

/**
 * Waits for the end: afterwards nothing is there any more. tsuru knows its apps, and asks only when none is bound: one
 * that is bound here is one that it has forgotten, whose unbind failed. Of jobs it does not know as much.
 */
export async function destroy(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const origin = readOrigin(call, readFields(call));
  const { instance } = await requireEntry(tsuru, call);
  const jobs = await tsuru.apps().bound(instance.id, 'job');
  if (jobs.length > 0) {
    throw new Refusal('conflict', `Jobs are bound to the instance: ${jobs.join(', ')}. Unbind them first.`);
  }
  const forgotten = await tsuru.apps().bound(instance.id, 'app');
  const outcome = await deprovision(tsuru, instance, { origin, isGone: call.isGone });
  if (outcome.is === 'absent') throw new Refusal('not-found', 'There is no such instance.');
  if (forgotten.length > 0) {
    tsuru.warn(
      `tsuru had ${instance.id} removed while these apps were bound to it: ${forgotten.join(', ')}.`,
    );
  }
  return emptyReply(200);
}

function deprovision(
  tsuru: TsuruContext,
  { id: instanceId, offeringId, planId }: InstanceEntry['instance'],
  how: Pick<Deprovision, 'origin' | 'version' | 'isGone'>,
) {
  return waitForOperation(tsuru, (acceptsIncomplete) =>
    tsuru.broker.deprovision({ instanceId, offeringId, planId, acceptsIncomplete, ...how }),
  );
}

/** As the catalog has them for every platform. */
export function plans(tsuru: TsuruContext, call: Call): Reply {
  const offering = requireOffering(tsuru, offeringIn(call));
  return { status: 200, body: offering.plans.map(({ name, description }) => ({ name, description })) };
}

/** Labels and values for people, all of them texts, none of them secret: no dashboard, since its address is. */
export async function info(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const { instance, plan, state, status } = await requireEntry(tsuru, call);
  const bound = await tsuru.apps().bound(instance.id);
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
