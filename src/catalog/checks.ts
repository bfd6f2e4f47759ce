import type { ProvisionerTraits } from '../broker/provisioner.ts';
import {
  actionFindings,
  backupFindings,
  planSupportFindings,
  secretFindings,
  supportFindings,
} from './rules/abilities.ts';
import { answerFindings } from './rules/rendered/answers.ts';
import { configFindings, provisionerFindings, settingFindings } from './rules/config.ts';
import { bindingFindings, grantFindings, routeFindings } from './rules/grants.ts';
import {
  descriptionFindings,
  extensionFindings,
  maintenanceFindings,
  nameFindings,
  pollingFindings,
  standardMembers,
  tagFindings,
} from './rules/market.ts';
import { limitFindings } from './rules/limits.ts';
import { hookFindings } from './rules/hooks.ts';
import { executableFindings, needFindings } from './rules/needs.ts';
import { portFindings } from './rules/ports.ts';
import { proofFindings } from './rules/proof.ts';
import { type OfferingFile, type PlanView, planViews } from './form/offering-file.ts';
import { orderFindings } from './rules/mentions/order.ts';
import { parameterFindings } from './rules/parameters.ts';
import type { Finding } from './problem.ts';
import { templateFindings } from './rules/templates.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/**
 * The rules between the parts of an offering file. A rule whose words have a wrong form is left out: what it
 * would say is a consequence.
 * @param spoiled words with a wrong form, `credentials` or `plans.with`
 */
export function crossFindings(
  offering: OfferingFile,
  traits: Traits,
  spoiled: ReadonlySet<string>,
): readonly Finding[] {
  const isReadable = (word: string) =>
    !spoiled.has(word) && !(word.startsWith('plans') && spoiled.has('plans'));
  return rules.flatMap(({ reads, find }) => (reads.every(isReadable) ? find(offering, traits) : []));
}

interface Rule {
  readonly reads: readonly string[];
  readonly find: (offering: OfferingFile, traits: Traits) => readonly Finding[];
}

/** The words of an offering and those that a plan may say for itself. */
function own(...words: readonly string[]): readonly string[] {
  return words.flatMap((word) => [word, `plans.${word}`]);
}

function eachPlan(
  find: (offering: OfferingFile, view: PlanView, traits: Traits) => readonly Finding[],
): Rule['find'] {
  return (offering, traits) => planViews(offering).flatMap((view) => find(offering, view, traits));
}

const grantWords = own(
  'syslog_drain_url',
  'route_service_url',
  'volume_mounts',
  'credentials',
  'credentials_type',
);
const parameterWords = own('parameters', 'schemas');
const answerWords = own(
  'dashboard',
  'instance_metadata',
  'syslog_drain_url',
  'route_service_url',
  'volume_mounts',
  'endpoints',
);

/** Where templates may stand, and what says which parameters they may use. */
export const templateWords = [
  'config',
  'hooks',
  'actions',
  'requires_offerings',
  ...own('dashboard', 'instance_metadata', 'endpoints', 'bindable', 'requires_app', 'tls'),
  ...grantWords,
  ...parameterWords,
];

const rules: readonly Rule[] = [
  { reads: ['id', 'name', 'keeps_ids'], find: (offering) => nameFindings(offering, '', offering) },
  {
    reads: ['plans.id', 'plans.name', 'keeps_ids'],
    find: eachPlan((offering, { plan, at }) => nameFindings(plan, at, offering)),
  },
  {
    reads: ['plans.maximum_polling_duration'],
    find: eachPlan((_, { plan, at }) => pollingFindings(plan, at)),
  },
  { reads: ['description'], find: ({ description }) => descriptionFindings(description, '') },
  {
    reads: ['plans.description'],
    find: eachPlan((_, { plan, at }) => descriptionFindings(plan.description, at)),
  },
  { reads: ['tags'], find: tagFindings },
  { reads: ['extensions'], find: (offering) => extensionFindings(offering, '', standardMembers.offering) },
  {
    reads: ['plans.extensions'],
    find: eachPlan((_, { plan, at }) => extensionFindings(plan, at, standardMembers.plan)),
  },
  { reads: ['plans.maintenance_info'], find: eachPlan((_, { plan, at }) => maintenanceFindings(plan, at)) },
  { reads: ['requires', ...own('bindable'), ...grantWords], find: eachPlan(grantFindings) },
  { reads: [...own('route_service_url'), 'plans.with'], find: eachPlan((_, view) => routeFindings(view)) },
  {
    reads: ['bindings_retrievable', ...own('bindable', 'async', 'binding_metadata')],
    find: eachPlan(bindingFindings),
  },
  { reads: parameterWords, find: parameterFindings },
  { reads: ['provisioner'], find: provisionerFindings },
  {
    reads: ['provisioner', 'config', 'plans.with', ...parameterWords],
    find: eachPlan((offering, view, traits) => configFindings(offering, view, traits)),
  },
  {
    reads: ['plans.with', ...answerWords, ...parameterWords],
    find: eachPlan((_, view) => answerFindings(view)),
  },
  { reads: ['provisioner', 'plans.with'], find: eachPlan(settingFindings) },
  { reads: ['provisioner', 'secrets'], find: secretFindings },
  { reads: ['provisioner', 'quota'], find: supportFindings },
  { reads: ['provisioner', 'hooks', ...own('backup')], find: backupFindings },
  { reads: ['provisioner', 'hooks', 'actions', 'secrets'], find: actionFindings },
  { reads: [...own('limits'), 'plans.with'], find: eachPlan((_, view) => limitFindings(view)) },
  {
    reads: ['provisioner', 'plans.cost', 'plans.limits', 'plans.tls', 'plans.quota', 'plans.backup'],
    find: eachPlan(planSupportFindings),
  },
  { reads: ['requires_offerings'], find: needFindings },
  { reads: ['hooks'], find: hookFindings },
  { reads: ['prove'], find: proofFindings },
  { reads: ['config'], find: executableFindings },
  { reads: ['provisioner', 'config'], find: orderFindings },
  { reads: ['provisioner', 'config'], find: portFindings },
  {
    reads: ['provisioner', 'secrets', 'plans.with', ...templateWords],
    find: eachPlan((offering, view, traits) => {
      const known = Object.hasOwn(traits, offering.provisioner) ? traits[offering.provisioner] : undefined;
      return templateFindings(offering, view, known);
    }),
  },
];
