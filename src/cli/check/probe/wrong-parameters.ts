import { isObject, type JsonObject } from '../../../broker/json.ts';
import { onlyWhen } from './findings.ts';
import { schemaOf } from './market.ts';
import type { Probe } from './probe.ts';
import { parameterCheck } from '../../../catalog/parameters.ts';

/** Parameters that the schema of this moment does not allow. @throws Inapplicable when there is none */
export function wrongFor(
  { market }: Probe,
  of: 'service_instance' | 'service_binding',
  moment: 'create' | 'update',
): JsonObject {
  const schema = schemaOf(market, of, moment);
  onlyWhen(schema !== undefined, 'The plan has no schema for these parameters.');
  const parameters = wrongParameters(schema);
  onlyWhen(parameters !== undefined, 'Nothing was found that its schema does not allow.');
  return parameters;
}

/** Parameters that a schema does not allow; undefined: it allows everything that was thought of, or is no schema. */
function wrongParameters(schema: JsonObject): JsonObject | undefined {
  const { properties } = schema;
  const names = isObject(properties) ? Object.keys(properties) : [];
  const strange: readonly JsonObject[] = [{ 'not-known-to-conformance': true }, {}];
  const mistyped: readonly JsonObject[] = names.flatMap((name) =>
    [null, -1.5, true, 'no such value', [[]], { no: 'such' }].map((value) => ({ [name]: value })),
  );
  try {
    const wrong = parameterCheck(schema);
    return [...mistyped, ...strange].find((one) => wrong(one) !== undefined);
  } catch {
    return undefined;
  }
}
