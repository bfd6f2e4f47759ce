import type { ErrorObject } from 'ajv';
import type { JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { expressionsIn, positionIn } from '../../broker/template.ts';
import { compiled } from '../json-schema/compiled.ts';
import { type OfferingFile, type PlanView, planViews } from '../form/offering-file.ts';
import { type Finding, mistake } from '../problem.ts';
import { schemasOf } from '../form/shorthand.ts';
import type { DependencyView } from './dependencies.ts';
import { findingsAfterRendering } from './rendered/judge-rendered.ts';
import { templatePlaces } from './places.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/**
 * The parameters of a needed instance are what the other plan's users might say: names are known whatever the values
 * will be, and values as far as a plan fixes them or their kind is known. A shared instance has none.
 */
export function neededParameterFindings(
  { offering, needed, need, at: place, plans }: DependencyView,
  traits: Traits,
): readonly Finding[] {
  const { parameters = {}, plan } = need;
  if (plan === undefined) return [];
  const at = positionIn(place, 'parameters');
  return plans.flatMap((view) => {
    if (readsNone(needed, view, traits)) {
      const reason = `Nothing in the plan '${plan}' of '${needed.name}' reads a parameter.`;
      return Object.keys(parameters).map((name) => mistake(positionIn(at, name), reason));
    }
    const schema = schemasOf(view.words)?.service_instance?.create?.parameters;
    if (schema === undefined) return [];
    const setting = { at, template: parameters, writesText: false };
    const errorsFor = (value: unknown) => errorsOf(schema, value as JsonObject);
    return planViews(offering).flatMap((own) => findingsAfterRendering(setting, own, errorsFor));
  });
}

/** As the broker would refuse them of a user (broker/requests/parameters.ts). */
function readsNone(offering: OfferingFile, view: PlanView, traits: Traits): boolean {
  const { provisioner, hooks = {} } = offering;
  if (schemasOf(view.words)?.service_instance !== undefined || Object.keys(hooks).length > 0) return false;
  const known = Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
  return (
    known?.readsParameters === 'by template' &&
    !templatePlaces(offering, view).some(({ template }) =>
      expressionsIn(template).some(({ path: [root] }) => root === 'params'),
    )
  );
}

function errorsOf(schema: JsonObject, parameters: JsonObject): readonly ErrorObject[] {
  try {
    return compiled(schema).errorsOf(parameters);
  } catch {
    // The schema cannot be used, and the check of its own file says why.
    return [];
  }
}
