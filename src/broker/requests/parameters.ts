/** Which parameters of a user hold: for a request, and for what an instance becomes by it. */
import { expressionsIn } from '../template.ts';
import type { ParameterCheck, ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { ServiceBinding, ServiceInstance } from '../records.ts';

type Provisioners = Pick<BrokerContext, 'provisioner'>;

/** Refuses parameters that the plan does not allow, with sentences that name each of them. */
export function requireParameters(
  deps: Provisioners,
  plan: ServicePlan,
  on: 'provision' | 'update' | 'bind',
  parameters: JsonObject,
): void {
  const check = plan.check[on];
  const wrong = readsNone(deps, plan, on) ? noneIn(parameters) : check(parameters);
  if (wrong !== undefined) throw new Refusal('invalid', wrong, 'parameters');
}

/**
 * The parameters that an instance would have with this plan after an update: those of the request take the
 * place of their namesakes, the others stay as far as the plan knows them. Refuses with invalid when an
 * instance could not be made of them.
 */
export function requireMerged(
  deps: Provisioners,
  plan: ServicePlan,
  existing: JsonObject,
  given: JsonObject,
): JsonObject {
  const merged = { ...existing, ...given };
  if (readsNone(deps, plan, 'provision')) return {};
  const left = strangersIn(plan.check.provision, merged).filter((name) => !Object.hasOwn(given, name));
  const kept = without(merged, left);
  const wrong = plan.check.provision(kept);
  if (wrong === undefined) return kept;
  const hint = Object.keys(given).length > 0 ? '' : ` ${fromBefore}`;
  throw new Refusal('invalid', `${wrong}${hint}`, 'parameters');
}

const fromBefore =
  'The service instance has its parameters from before: give those that do not fit together with this update.';

/** The instance with those parameters only that its plan knows: others do nothing any more. */
export function withKnownParameters(
  deps: Provisioners,
  plan: ServicePlan,
  instance: ServiceInstance,
): ServiceInstance {
  const parameters = knownParameters(deps, plan, 'provision', instance.confidential.parameters);
  return { ...instance, confidential: { ...instance.confidential, parameters } };
}

/** As `withKnownParameters`, for the parameters of a binding. */
export function withKnownBindParameters(
  deps: Provisioners,
  plan: ServicePlan,
  binding: ServiceBinding,
): ServiceBinding {
  const parameters = knownParameters(deps, plan, 'bind', binding.confidential.parameters);
  return { ...binding, confidential: { ...binding.confidential, parameters } };
}

export function knownParameters(
  deps: Provisioners,
  plan: ServicePlan,
  on: 'provision' | 'bind',
  parameters: JsonObject,
): JsonObject {
  if (readsNone(deps, plan, on)) return {};
  return without(parameters, strangersIn(plan.check[on], parameters));
}

/** Without a schema anything is allowed that somebody could read; what nobody reads would only seem to work. */
function readsNone(
  { provisioner }: Provisioners,
  plan: ServicePlan,
  on: keyof ServicePlan['check'],
): boolean {
  const { schemas, making, operating } = plan;
  const { hooks } = operating;
  if (schemas?.[on === 'bind' ? 'service_binding' : 'service_instance'] !== undefined) return false;
  if (provisioner(making.provisioner).traits.readsParameters !== 'by template') return false;
  if (on === 'bind') return hooks['bind'] === undefined && hooks['unbind'] === undefined;
  return Object.keys(hooks).length === 0 && !namesParameters(plan);
}

function namesParameters({ making: { config, answer }, operating }: ServicePlan): boolean {
  const templates = [
    config,
    JSON.parse(JSON.stringify({ answer, requires: operating.dependencies })) as JsonObject,
  ];
  return templates.some((template) => expressionsIn(template).some(({ path: [root] }) => root === 'params'));
}

const mostNamed = 10;
const longestName = 80;

function noneIn(parameters: JsonObject): string | undefined {
  const names = Object.keys(parameters);
  if (names.length === 0) return undefined;
  const shown = names.slice(0, mostNamed).map((name) => {
    return `'${name.length > longestName ? `${name.slice(0, longestName)}...` : name}'`;
  });
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  const are = names.length === 1 ? 'is no parameter' : 'are no parameters';
  return `There ${are} ${shown.join(', ')}${more}. None is allowed here.`;
}

function strangersIn(check: ParameterCheck, parameters: JsonObject): readonly string[] {
  return check.unknownIn?.(parameters) ?? [];
}

function without(parameters: JsonObject, names: readonly string[]): JsonObject {
  return names.length === 0
    ? parameters
    : Object.fromEntries(Object.entries(parameters).filter(([name]) => !names.includes(name)));
}
