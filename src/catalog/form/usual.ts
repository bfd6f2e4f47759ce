import { type JsonObject, jsonOf, memberOf } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';

/** The offering with what its provisioner has by default, where this is something else than what others have. */
export function withUsualRestarts(
  offering: JsonObject,
  traits: Readonly<Record<string, ProvisionerTraits>>,
): JsonObject {
  const { provisioner = '' } = offering;
  const known = typeof provisioner === 'string' && Object.hasOwn(traits, provisioner);
  const restart = known ? traits[provisioner]?.usualRestarts : undefined;
  return restart === undefined
    ? offering
    : jsonOf({ ...offering, monitor: { restart, ...memberOf(offering, 'monitor') } });
}
