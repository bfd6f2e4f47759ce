import type { Json } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { needsFacts } from '../../broker/template-values.ts';
import type { OfferingFile, PerPlan, PlanView } from '../form/offering-file.ts';

/** A place of the file that holds a template, and what may be known when it is filled. */
export interface TemplatePosition {
  readonly at: string;
  readonly template: Json;
  /** Is it filled for a binding, whose id and secrets there are then? */
  readonly perBinding: boolean;
  /** Places in it where the same is true all the same. */
  readonly bindingPlaces?: readonly string[];
  /** Are the provisioner's facts there? */
  readonly hasFacts: boolean;
  /** Why a secret may not stand here. */
  readonly noSecrets?: string;
  /** Why nothing that is confidential may, neither parameters nor what other offerings have given. */
  readonly isPublic?: string;
}

/** All templates of a plan. @param bindingPlaces those below `config` that are filled for a binding */
export function templatePlaces(
  offering: OfferingFile,
  view: PlanView,
  bindingPlaces: readonly string[] = [],
): readonly TemplatePosition[] {
  return [
    ...placeOf('config', offering.config, { perBinding: false, bindingPlaces, hasFacts: true }),
    ...hookPlaces(offering),
    ...needPlaces(offering),
    ...placeOf(view.placeOf('dashboard'), view.words.dashboard, knownOfDashboard(view.words)),
    ...answers.flatMap(({ word, ...rest }) => placeOf(view.placeOf(word), view.words[word], rest)),
  ];
}

type Known = Omit<TemplatePosition, 'at' | 'template'>;

function placeOf(
  at: string,
  template: object | string | boolean | undefined,
  known: Known,
): readonly TemplatePosition[] {
  return template === undefined ? [] : [{ at, template: template as Json, ...known }];
}

const answers: readonly (Known & { readonly word: keyof PerPlan })[] = [
  {
    word: 'instance_metadata',
    perBinding: false,
    hasFacts: true,
    noSecrets: 'A secret cannot be used here, for platforms show this to everybody.',
  },
  { word: 'credentials', perBinding: true, hasFacts: true },
  { word: 'syslog_drain_url', perBinding: true, hasFacts: true },
  { word: 'route_service_url', perBinding: true, hasFacts: true },
  { word: 'volume_mounts', perBinding: true, hasFacts: true },
  { word: 'endpoints', perBinding: true, hasFacts: true },
];

/** One that is known only when the instance is made is told by the broker to everybody who asks. */
function knownOfDashboard({ dashboard = '' }: PerPlan): Known {
  const known = { perBinding: false, hasFacts: true };
  return needsFacts(dashboard) ? { ...known, noSecrets: toldToAll, isPublic: toldToAll } : known;
}

const toldToAll =
  'A dashboard with what is known only when the instance is made is told to everybody, so it holds nothing confidential.';

function hookPlaces({ hooks = {} }: OfferingFile): readonly TemplatePosition[] {
  return Object.entries(hooks).flatMap(([name, { run, env = {} }]) => {
    const perBinding = name === 'bind' || name === 'unbind';
    return placeOf(positionIn('hooks', name), { run, env }, { perBinding, hasFacts: true });
  });
}

function needPlaces({ requires_offerings: needs = {} }: OfferingFile): readonly TemplatePosition[] {
  return Object.entries(needs).flatMap(([name, { parameters }]) => {
    const at = positionIn(positionIn(positionIn('', 'requires_offerings'), name), 'parameters');
    return placeOf(at, parameters, { perBinding: false, hasFacts: false });
  });
}

/** The place in the file of what stands at `inner` of a template. */
export function placeWithin(at: string, inner: string): string {
  return inner === '' || inner.startsWith('[') ? `${at}${inner}` : `${at}.${inner}`;
}

/** Is what stands there filled for a binding? @param at as in an expression of the place's template */
export function isPerBinding({ perBinding, bindingPlaces = [] }: TemplatePosition, at: string): boolean {
  return perBinding || bindingPlaces.some((place) => isWithin(at, place));
}

function isWithin(at: string, place: string): boolean {
  return at.startsWith(place) && ['', '.', '['].includes(at.charAt(place.length));
}
