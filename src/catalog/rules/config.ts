import type { ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { expressionsIn, mistakesIn, positionIn } from '../../broker/template.ts';
import type { OfferingFile, PlanView } from '../form/offering-file.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { type Finding, mistake, warning } from '../problem.ts';
import { type Judge, ownSchema } from '../own-schema.ts';
import { findingsOf } from '../form/shape.ts';
import type { NeededTypes } from './rendered/after-rendering.ts';
import { filledPlaceFindings } from './rendered/filled-places.ts';
import { findingsAfterRendering } from './rendered/judge-rendered.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/** Is there such a provisioner, and does it understand its `config` and the plans' `with`? */
export function provisionerFindings({ provisioner }: OfferingFile, traits: Traits): readonly Finding[] {
  if (Object.hasOwn(traits, provisioner)) return [];
  const known = Object.keys(traits).join(', ') || 'none';
  const hint = didYouMean(provisioner, Object.keys(traits));
  return [mistake('provisioner', `There is no such provisioner.${hint} There are: ${known}.`)];
}

/**
 * Holds `config` against the provisioner's schema, with what the plan fixes filled in. What only an instance
 * will know is not judged.
 */
export function configFindings(
  offering: OfferingFile,
  view: PlanView,
  traits: Traits,
  neededTypes?: NeededTypes,
): readonly Finding[] {
  const rules = findTraits(offering, traits);
  if (!rules) return [];
  const { config = {} } = offering;
  const setting = { at: 'config', template: config, writesText: true };
  const judged = findingsAfterRendering(setting, view, (value) => errorsOf(rules.config, value), neededTypes);
  const others = filledPlaceFindings(config, view, rules, neededTypes);
  return [...judged, ...others.filter(({ path }) => !judged.some((finding) => finding.path === path))];
}

/** Holds a plan's `with` against the provisioner's schema. */
export function settingFindings(
  offering: OfferingFile,
  { plan, at }: PlanView,
  traits: Traits,
): readonly Finding[] {
  const place = positionIn(at, 'with');
  const settings = plan.with ?? {};
  const rules = findTraits(offering, traits)?.settings;
  const hasTemplate = expressionsIn(settings).length > 0 || mistakesIn(settings).length > 0;
  return [
    ...(rules ? findingsOf(errorsOf(rules, settings), settings, place) : []),
    ...(hasTemplate ? [warning(place, 'The braces {{ stay as they are here: a plan fixes values.')] : []),
  ];
}

function findTraits({ provisioner }: OfferingFile, traits: Traits): ProvisionerTraits | undefined {
  return Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
}

const judges = new WeakMap<JsonObject, Judge>();

function errorsOf(schema: JsonObject, value: Json): readonly ErrorObject[] {
  const judge = judges.get(schema) ?? ownSchema(schema);
  judges.set(schema, judge);
  return judge(value);
}
