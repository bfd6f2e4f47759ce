import { positionIn } from '../../broker/template.ts';
import type { OfferingFile, PlanFile } from '../form/offering-file.ts';
import { type Finding, mistake, warning } from '../problem.ts';

type Named = Pick<PlanFile, 'id' | 'name'>;

/** Forms of ids and names that the specification advises against or that one platform cannot take. */
export function nameFindings(
  { id, name }: Named,
  at: string,
  { keeps_ids: keepsIds = false }: Pick<OfferingFile, 'keeps_ids'>,
): readonly Finding[] {
  const idPlace = positionIn(at, 'id');
  const namePlace = positionIn(at, 'name');
  return [
    ...warnIf(!keepsIds && !guid.test(id), idPlace, 'The id should be a GUID.'),
    ...warnIf(!unreserved.test(id), idPlace, 'The id should have letters, digits, -, ., _ and ~ only.'),
    ...warnIf(
      !plainName.test(name),
      namePlace,
      'The name should have letters, digits, periods and hyphens only.',
    ),
    ...warnIf(/^-+$/.test(name), namePlace, 'The name should be more than hyphens.'),
    ...warnIf(id.length > kubernetesLimit, idPlace, tooLongForKubernetes),
    ...warnIf(name.length > kubernetesLimit, namePlace, tooLongForKubernetes),
  ];
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const unreserved = /^[\w.~-]*$/;
const plainName = /^[A-Za-z0-9.-]*$/;
const kubernetesLimit = 63;
const tooLongForKubernetes = `Kubernetes takes at most ${kubernetesLimit} characters here.`;

/** spec.md, Catalog Management: longer texts may be cut. */
export function descriptionFindings(description: string, at: string): readonly Finding[] {
  const reason = 'The description should have at most 255 characters.';
  return warnIf(description.length > 255, positionIn(at, 'description'), reason);
}

/** What a vendor adds is published beside what the specification has, and never in its place. */
export function extensionFindings(
  { extensions = {} }: Pick<OfferingFile, 'extensions'>,
  at: string,
  standard: readonly string[],
): readonly Finding[] {
  const place = positionIn(at, 'extensions');
  return Object.keys(extensions)
    .filter((name) => standard.includes(name))
    .map((name) =>
      mistake(
        positionIn(place, name),
        'The specification has a member of this name: say it without extensions.',
      ),
    );
}

/** The members of services and plans (spec.md, Service Offering Object, Service Plan Object). */
export const standardMembers = {
  offering: [
    'id',
    'name',
    'description',
    'tags',
    'requires',
    'bindable',
    'instances_retrievable',
    'bindings_retrievable',
    'allow_context_updates',
    'metadata',
    'dashboard_client',
    'plan_updateable',
    'plans',
  ],
  plan: [
    'id',
    'name',
    'description',
    'metadata',
    'free',
    'bindable',
    'plan_updateable',
    'binding_rotatable',
    'schemas',
    'maximum_polling_duration',
    'maintenance_info',
  ],
} as const;

/** Cloud Controller keeps all tags of an offering in one column. */
export function tagFindings({ tags = [] }: OfferingFile): readonly Finding[] {
  const sum = tags.join('').length;
  const reason = `All tags together have ${sum} characters; ${mostTagCharacters} are allowed.`;
  return sum > mostTagCharacters ? [mistake('tags', reason)] : [];
}

const mostTagCharacters = 2048;

/** Cloud Controller looks a second time only after a minute, and ends what has taken longer than this by then. */
export function pollingFindings(
  { maximum_polling_duration: longest = shortestPoll }: PlanFile,
  at: string,
): readonly Finding[] {
  const reason = `Cloud Foundry polls every ${shortestPoll} s at most, so with less than that every operation that takes more than a moment fails there, and a new instance is deleted.`;
  return warnIf(longest > 0 && longest < shortestPoll, positionIn(at, 'maximum_polling_duration'), reason);
}

const shortestPoll = 60;

/** Cloud Controller takes no more than this. */
export function maintenanceFindings({ maintenance_info: info }: PlanFile, at: string): readonly Finding[] {
  const size = JSON.stringify(info ?? {}).length;
  const reason = `The JSON has ${size} characters; ${mostMaintenanceCharacters} are allowed.`;
  return size > mostMaintenanceCharacters ? [mistake(positionIn(at, 'maintenance_info'), reason)] : [];
}

const mostMaintenanceCharacters = 2000;

function warnIf(condition: boolean, path: string, reason: string): readonly Finding[] {
  return condition ? [warning(path, reason)] : [];
}
