import { isObject, type Json, type JsonObject, jsonOf } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { withoutNulls } from '../../broker/without-nulls.ts';
import { offeringSchema } from './schema.ts';

/**
 * The offering without what is null to say that it is not there, which is how many programs write catalogs. What
 * is data keeps its nulls: display metadata beyond its conventions, `extensions`, JSON Schemas, defaults and
 * values of parameters, what a plan fixes.
 */
export function withoutAbsent(
  offering: JsonObject,
  traits: Readonly<Record<string, ProvisionerTraits>>,
): JsonObject {
  const present = withoutNulls(offering, offeringSchema) as JsonObject;
  const { provisioner = '', config, plans } = present;
  const known =
    typeof provisioner === 'string' && Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
  if (!known) return present;
  const { config: shape, settings } = known;
  return jsonOf({
    ...present,
    config: config && withoutNulls(config, shape),
    plans: Array.isArray(plans) && settings ? plans.map((plan: Json) => withSettings(plan, settings)) : plans,
  });
}

function withSettings(plan: Json, schema: JsonObject): Json {
  if (!isObject(plan) || plan['with'] === undefined) return plan;
  return { ...plan, with: withoutNulls(plan['with'], schema) };
}
