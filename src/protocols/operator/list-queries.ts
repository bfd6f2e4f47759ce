import type { BackupsQuery } from '../../broker/backups.ts';
import { Refusal } from '../../broker/errors.ts';
import type { BindingsQuery, OperationsQuery } from '../../broker/listing.ts';
import type { InstancePageQuery, OfferingEntry } from '../../broker/operator-view.ts';
import { bindingStates, type StateWord } from '../../broker/state.ts';
import { operationKinds } from '../../broker/records.ts';
import { unitStatuses } from '../../broker/units.ts';
import type { Call } from '../protocol.ts';
import { truth, text, whole, words } from './wire/shape.ts';
import { readFlag, readNumber, readText, readWord } from './requests.ts';

/** The states of instances that a list can be asked for. */
export const listedStates = [
  'provisioning',
  'failed',
  'deleted',
  'lost',
  'deprovisioning',
  'ready',
  'updating',
  'starting',
  'stopping',
  'restarting',
  'backing-up',
  'restoring',
  'acting',
  'adopting',
] as const satisfies readonly StateWord[];

/** The states of operations, as the query has them. */
export const operationStates = ['in-progress', 'succeeded', 'failed'] as const;

const ages = {
  older_than: text('Made so long ago or longer: a number with s, m, h or d, such as 36h.'),
  younger_than: text('Made no longer ago.'),
};

export const ofInstance = {
  instance_id: text('The id, in place of what stands in the path: one of dots would be folded away there.'),
};

/** Of a page. */
export const pageQuery = {
  after: text('The `next` of the page before.'),
  limit: whole('Entries of a page; 100 where nothing is said.', { minimum: 1, maximum: 1000 }),
};

export const instancesQuery = {
  ...pageQuery,
  node: text(),
  offering: text('By name or id.'),
  plan: text('By name or id.'),
  platform: text(),
  organization: text('By name.'),
  organization_guid: text(),
  space: text('By name.'),
  space_guid: text(),
  state: words(listedStates),
  status: words(unitStatuses),
  ...ages,
  drifted: truth('Only those whose plan has changed since.'),
};

export const operationsQuery = {
  ...pageQuery,
  state: words(operationStates),
  kind: words(operationKinds),
  instance: text('By id.'),
  offering: text('By name or id.'),
  ...ages,
};

export const bindingsQuery = {
  ...pageQuery,
  instance: text('By id.'),
  node: text(),
  offering: text('By name or id.'),
  plan: text('By name or id.'),
  platform: text(),
  organization: text('By name.'),
  space: text('By name.'),
  app: text('By id.'),
  state: words(bindingStates),
  ...ages,
};

export const backupsQuery = {
  ...pageQuery,
  instance: text('By id.'),
  offering: text('By name or id.'),
  ...ages,
};

/** @param offerings by the names or ids of which, and of whose plans, one may be asked for */
export function readListQuery({ query }: Call, offerings: readonly OfferingEntry[]): InstancePageQuery {
  const offeringId = readOffering(query, offerings);
  return {
    after: readText(query, 'after'),
    limit: readNumber(query, 'limit', 100, 1000),
    node: readText(query, 'node'),
    offeringId,
    planIds: readPlans(query, offeringId, offerings),
    platform: readText(query, 'platform'),
    organization: readText(query, 'organization'),
    organizationGuid: readText(query, 'organization_guid'),
    space: readText(query, 'space'),
    spaceGuid: readText(query, 'space_guid'),
    state: readWord(query, 'state', listedStates),
    status: readWord(query, 'status', unitStatuses),
    olderThan: readAge(query, 'older_than'),
    youngerThan: readAge(query, 'younger_than'),
    drifted: readFlag(query, 'drifted'),
  };
}

/** @param offerings as for instances */
export function readOperationsQuery({ query }: Call, offerings: readonly OfferingEntry[]): OperationsQuery {
  const state = readWord(query, 'state', operationStates);
  return {
    after: readText(query, 'after'),
    limit: readNumber(query, 'limit', 100, 1000),
    state: state === 'in-progress' ? 'in progress' : state,
    kind: readWord(query, 'kind', operationKinds),
    instanceId: readText(query, 'instance'),
    offeringId: readOffering(query, offerings),
    olderThan: readAge(query, 'older_than'),
    youngerThan: readAge(query, 'younger_than'),
  };
}

/** @param offerings as for instances */
export function readBindingsQuery({ query }: Call, offerings: readonly OfferingEntry[]): BindingsQuery {
  const offeringId = readOffering(query, offerings);
  return {
    after: readText(query, 'after'),
    limit: readNumber(query, 'limit', 100, 1000),
    instanceId: readText(query, 'instance'),
    node: readText(query, 'node'),
    offeringId,
    planIds: readPlans(query, offeringId, offerings),
    platform: readText(query, 'platform'),
    organization: readText(query, 'organization'),
    space: readText(query, 'space'),
    appGuid: readText(query, 'app'),
    state: readWord(query, 'state', bindingStates),
    olderThan: readAge(query, 'older_than'),
    youngerThan: readAge(query, 'younger_than'),
  };
}

/** @param offerings as for instances */
export function readBackupsQuery({ query }: Call, offerings: readonly OfferingEntry[]): BackupsQuery {
  return {
    after: readText(query, 'after'),
    limit: readNumber(query, 'limit', 100, 1000),
    instanceId: readText(query, 'instance'),
    offeringId: readOffering(query, offerings),
    olderThan: readAge(query, 'older_than'),
    youngerThan: readAge(query, 'younger_than'),
  };
}

function readOffering(query: URLSearchParams, offerings: readonly OfferingEntry[]): string | undefined {
  const asked = readText(query, 'offering');
  return offerings.find(({ offering }) => offering.name === asked)?.offering.id ?? asked;
}

/** Several offerings may have plans of one name. */
function readPlans(
  query: URLSearchParams,
  offeringId: string | undefined,
  offerings: readonly OfferingEntry[],
): readonly string[] | undefined {
  const asked = readText(query, 'plan');
  if (asked === undefined) return undefined;
  const own = offerings.filter(({ offering }) => offeringId === undefined || offering.id === offeringId);
  const named = own.flatMap(({ offering }) => offering.plans).filter(({ name }) => name === asked);
  return [asked, ...named.map(({ id }) => id)];
}

const msIn = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function readAge(query: URLSearchParams, name: string): number | undefined {
  const asked = readText(query, name);
  if (asked === undefined) return undefined;
  const [, number, unit = 's'] = /^(\d{1,6})([smhd])$/.exec(asked) ?? [];
  if (number !== undefined) return Number(number) * msIn[unit as keyof typeof msIn];
  throw new Refusal('invalid', `${name} must be a whole number with s, m, h or d, such as 36h.`, name);
}
