import { decideOn } from '../backups/take.ts';
import type { ServicePlan } from '../catalog.ts';
import type { Act } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { type JsonObject, sameJson } from '../json.ts';
import { type Decision, newOperation } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import type { Operation, ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { decideParameters } from '../requests/decide-parameters.ts';

/**
 * Has one of the actions done that the offering of an instance declares. The same one that is open already, with the
 * same parameters, is the one that is asked for.
 * @throws Refusal 'not-found', also for an action that its plan does not have, 'busy', 'not-ready', and 'invalid' for
 * parameters that the action does not allow
 */
export function act(core: RequestContext, command: Act): Promise<Outcome<ServiceInstance>> {
  const { instanceId, action, parameters, origin } = command;
  return core.engine.run(command, async () => {
    const found = await core.store.findInstance(instanceId);
    const plan = found && (await core.planOf(found.instance));
    const asked = plan && (await requireAsked(core, plan, action, parameters));
    const decision = decideOn(found, 'action', (open) => isSame(open, action, asked));
    if (!found || !plan || decision !== 'start') return decision as Decision<ServiceInstance>;
    const of = { instanceId, origin, confidential: { asked } };
    const operation = { ...newOperation(core, plan, 'action', of), action };
    return { start: { plan, operation, instance: { put: renewing(core, found.instance, plan, action) } } };
  });
}

/**
 * The instance with secrets for those that the action exchanges: known before anything is told of them, so that whoever
 * goes on with it, or asks for it again after it has failed, has the same.
 */
function renewing(
  core: RequestContext,
  instance: ServiceInstance,
  plan: ServicePlan,
  action: string,
): ServiceInstance {
  const { renews = [] } = plan.actions?.[action] ?? {};
  if (renews.length === 0) return instance;
  const known = instance.confidential.renewing ?? {};
  const fresh = renews.map((name) => [
    name,
    known[name] ?? core.newSecret(plan.making.secrets[name]?.length ?? usualLength),
  ]);
  const all = { ...known, ...(Object.fromEntries(fresh) as Record<string, string>) };
  return { ...instance, confidential: { ...instance.confidential, renewing: all } };
}

const usualLength = 32;

/** The parameters, with what is not said as the offering has it. */
async function requireAsked(
  core: RequestContext,
  plan: ServicePlan,
  name: string,
  parameters: JsonObject,
): Promise<JsonObject> {
  const { actions = {}, making } = plan;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (!action || !core.provisioner(making.provisioner).act) throw noSuch(plan, name);
  const wrong = await decideParameters(parameters, () => action.check(parameters));
  if (wrong !== undefined) throw new Refusal('invalid', wrong, 'parameters');
  return { ...action.defaults, ...parameters };
}

function noSuch({ name: plan, actions = {} }: ServicePlan, name: string): Refusal {
  const known = Object.keys(actions);
  const there = known.length > 0 ? `There are: ${known.join(', ')}.` : 'It has none.';
  return new Refusal(
    'not-found',
    `As this instance was made, its plan '${plan}' has no action '${name.slice(0, 80)}'. ${there} ` +
      'If its offering has got it since, upgrade the instance first.',
  );
}

function isSame(open: Operation, action: string, asked: JsonObject | undefined): boolean {
  return open.action === action && sameJson(open.confidential.asked, asked);
}
