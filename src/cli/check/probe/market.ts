import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';

/** The plan that is looked at, and what of the catalog says something about it; all read without trust. */
export interface Market {
  /** The answer as it came. */
  readonly catalog: JsonObject;
  readonly services: readonly JsonObject[];
  readonly service: JsonObject;
  readonly plan: JsonObject;
  readonly serviceId: string;
  /** Empty: the catalog has no plan with an id, and nothing but the catalog can be looked at. */
  readonly planId: string;
  readonly bindable: boolean;
  readonly updateable: boolean;
  readonly rotatable: boolean;
  readonly instancesRetrievable: boolean;
  readonly bindingsRetrievable: boolean;
  readonly requires: readonly Json[];
  /** What it says of its maintenance: `maintenance_info.version`. */
  readonly maintenanceVersion: string | undefined;
  /** Another plan of the same offering. */
  readonly otherPlanId: string | undefined;
  /** Another offering, and a plan of it. */
  readonly other: { readonly serviceId: string; readonly planId: string } | undefined;
}

/**
 * Chooses by names or ids; without them the first plan that can be bound, else the first, else none.
 * @throws Error that names what there is
 */
export function chooseMarket(catalog: JsonObject, offering?: string, plan?: string): Market {
  const services = objectsIn(catalog['services']);
  const pairs = services.flatMap((service) =>
    objectsIn(service['plans'])
      .filter((one) => isText(service['id']) && isText(one['id']))
      .map((one) => ({ service, plan: one })),
  );
  if (pairs.length === 0 && offering === undefined && plan === undefined)
    return marketOf(catalog, services, services[0] ?? {}, {});
  const fitting = pairs.filter((one) => isNamed(one.service, offering) && isNamed(one.plan, plan));
  const chosen = fitting.find((one) => isBindable(one.service, one.plan)) ?? fitting[0];
  if (!chosen) throw new Error(nothingFits(pairs, offering, plan));
  return marketOf(catalog, services, chosen.service, chosen.plan);
}

/** The schema of parameters for one moment; undefined: any are right. */
export function schemaOf(
  { plan }: Market,
  of: 'service_instance' | 'service_binding',
  moment: 'create' | 'update',
): JsonObject | undefined {
  const found = ['schemas', of, moment, 'parameters'].reduce<Json | undefined>(
    (inner, name) => (isObject(inner) ? inner[name] : undefined),
    plan,
  );
  return isObject(found) ? found : undefined;
}

export function objectsIn(list: Json | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function marketOf(
  catalog: JsonObject,
  services: readonly JsonObject[],
  service: JsonObject,
  plan: JsonObject,
): Market {
  const maintenance = plan['maintenance_info'];
  const version = isObject(maintenance) ? maintenance['version'] : undefined;
  const sibling = objectsIn(service['plans']).find((one) => isText(one['id']) && one['id'] !== plan['id']);
  const foreign = services.find((one) => isText(one['id']) && one['id'] !== service['id']);
  const foreignPlan = objectsIn(foreign?.['plans']).find((one) => isText(one['id']));
  return {
    catalog,
    services,
    service,
    plan,
    serviceId: isText(service['id']) ? service['id'] : '',
    planId: isText(plan['id']) ? plan['id'] : '',
    bindable: isBindable(service, plan),
    updateable: (plan['plan_updateable'] ?? service['plan_updateable']) === true,
    rotatable: plan['binding_rotatable'] === true,
    instancesRetrievable: service['instances_retrievable'] === true,
    bindingsRetrievable: service['bindings_retrievable'] === true,
    requires: Array.isArray(service['requires']) ? (service['requires'] as readonly Json[]) : [],
    maintenanceVersion: isText(version) ? version : undefined,
    otherPlanId: sibling?.['id'] as string | undefined,
    other: foreignPlan && {
      serviceId: foreign?.['id'] as string,
      planId: foreignPlan['id'] as string,
    },
  };
}

function isBindable(service: JsonObject, plan: JsonObject): boolean {
  return (plan['bindable'] ?? service['bindable']) === true;
}

function isNamed(one: JsonObject, wanted: string | undefined): boolean {
  return wanted === undefined || one['name'] === wanted || one['id'] === wanted;
}

/** Does an answer, which should tell nothing, hold a part of the catalog? */
export function tellsCatalog(
  { market: { serviceId, planId } }: { readonly market: Market },
  { text }: { readonly text: string },
): boolean {
  return [serviceId, planId, '"services"'].some((one) => text.includes(one));
}

/** A value that should be a text, as one. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

export function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** Why a broker cannot be looked at further. */
export const noPlan = 'The catalog of the broker has no plan with an id.';

function nothingFits(
  pairs: readonly { readonly service: JsonObject; readonly plan: JsonObject }[],
  offering: string | undefined,
  plan: string | undefined,
): string {
  if (pairs.length === 0) return noPlan;
  const names = pairs.map((one) => `${textOf(one.service['name'])}/${textOf(one.plan['name'])}`);
  const wanted = [offering ?? 'any offering', plan ?? 'any plan'].join('/');
  return `The broker does not sell ${wanted}. It sells: ${names.join(', ')}.`;
}
