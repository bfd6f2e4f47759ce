import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { positionIn } from '../../broker/template.ts';
import type { ActionFile, BackupFile, OfferingFile, PlanView, QuotaFile } from '../form/offering-file.ts';
import { secondsOf } from '../duration.ts';
import { holderFindings } from './parameters.ts';
import { type Finding, mistake } from '../problem.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/** The secrets without which the provisioner can make nothing that anybody could use. */
export function secretFindings(
  { provisioner, secrets = {} }: OfferingFile,
  traits: Traits,
): readonly Finding[] {
  const needed = Object.entries(findTraits(provisioner, traits)?.secrets ?? {});
  return needed.flatMap(([name, needs]) => {
    const { per = 'instance' } = (Object.hasOwn(secrets, name) ? secrets[name] : undefined) ?? {};
    if (Object.hasOwn(secrets, name) && per === needs) return [];
    const reason = `The provisioner '${provisioner}' needs the secret '${name}' per ${needs}.`;
    return [mistake(positionIn('secrets', name), reason)];
  });
}

/** A key that the provisioner does not act on would promise what nobody keeps. */
export function supportFindings(offering: OfferingFile, traits: Traits): readonly Finding[] {
  return [
    ...keys.flatMap((key) => (offering[key] === undefined ? [] : unsupported(offering, key, key, traits))),
    ...costFindings(offering, offering.quota, 'quota', traits),
  ];
}

/** The same for the keys of a plan. */
export function planSupportFindings(
  offering: OfferingFile,
  { plan, at }: PlanView,
  traits: Traits,
): readonly Finding[] {
  const said = (['cost', 'limits', 'tls', 'backup'] as const).filter((key) => plan[key] !== undefined);
  return [
    ...said.flatMap((key) => unsupported(offering, key, positionIn(at, key), traits)),
    ...costFindings(offering, plan.quota, positionIn(at, 'quota'), traits),
  ];
}

/** A quota of costs where nothing can cost anything would never be reached. */
function costFindings(
  { provisioner }: OfferingFile,
  quota: QuotaFile = {},
  at: string,
  traits: Traits,
): readonly Finding[] {
  const known = findTraits(provisioner, traits);
  if (!known || known.local === true) return [];
  const reason = `What the provisioner '${provisioner}' makes costs nothing, so this would limit nothing: say instances.`;
  return Object.entries(quota)
    .filter(([, { cost }]) => cost !== undefined)
    .map(([per]) => mistake(positionIn(positionIn(at, per), 'cost'), reason));
}

const keys = [
  'timeouts',
  'monitor',
  'hooks',
  'requires_offerings',
  'max_instances',
  'limits',
  'tls',
  'backup',
  'actions',
] as const;

function unsupported(
  { provisioner }: OfferingFile,
  key: string,
  at: string,
  traits: Traits,
): readonly Finding[] {
  const known = findTraits(provisioner, traits);
  if (!known || known.supports?.includes(key)) return [];
  return [mistake(at, `The provisioner '${provisioner}' does not support '${key}'.`)];
}

function findTraits(provisioner: string, traits: Traits): ProvisionerTraits | undefined {
  return Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
}

/** Backups that are to be made by themselves must be possible, and not follow each other without a pause. */
export function backupFindings(
  { provisioner, backup, hooks = {}, plans }: OfferingFile,
  traits: Traits,
): readonly Finding[] {
  const byHooks = traits[provisioner]?.supports?.includes('hooks') === true && !hooks.backup;
  const all: readonly (readonly [at: string, said: BackupFile | undefined])[] = [
    ['backup', backup],
    ...plans.map((plan, index) => [`plans[${index}].backup`, plan.backup] as const),
  ];
  return all.flatMap(([at, { every } = {}]) => {
    if (every === undefined) return [];
    const here = positionIn(at, 'every');
    if (byHooks) return [mistake(here, 'There is no hook backup that could make them.')];
    return secondsOf(every) < 60 ? [mistake(here, 'The least is 1m.')] : [];
  });
}

/** Paths of the operator API that every offering has. */
const taken = [
  'start',
  'stop',
  'restart',
  'recreate',
  'upgrade',
  'purge',
  'force-delete',
  'protect',
  'unprotect',
  'undelete',
  'adopt',
  'move',
];

/** What is offered must be done by somebody, and found under its name. */
export function actionFindings(
  { provisioner, actions = {}, hooks = {}, secrets = {} }: OfferingFile,
  traits: Traits,
): readonly Finding[] {
  const names = Object.keys(actions);
  const byHooks = traits[provisioner]?.supports?.includes('hooks') === true;
  if (names.length === 0)
    return hooks.action ? [mistake('hooks.action', 'There are no actions that it could do.')] : [];
  const undone =
    byHooks && !hooks.action ? [mistake('actions', 'There is no hook action that does them.')] : [];
  const meant = names.filter((name) => taken.includes(name));
  return [
    ...undone,
    ...meant.map((name) =>
      mistake(positionIn('actions', name), 'All instances have an action of this name. Choose another one.'),
    ),
    ...Object.entries(actions).flatMap(([name, action]) => {
      const at = positionIn('actions', name);
      return [...holderFindings(action, at), ...renewFindings(action, secrets, positionIn(at, 'renews'))];
    }),
  ];
}

function renewFindings(
  { renews = [] }: ActionFile,
  secrets: NonNullable<OfferingFile['secrets']>,
  at: string,
): readonly Finding[] {
  return renews.flatMap((name, index) => {
    const isOwn = Object.hasOwn(secrets, name) && (secrets[name]?.per ?? 'instance') === 'instance';
    return isOwn ? [] : [mistake(positionIn(at, index), `There is no secret '${name}' per instance.`)];
  });
}
