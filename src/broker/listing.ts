/** What lists can be asked for, and whose the instances in them are. */
import type { ServicePlan } from './catalog.ts';
import type { Quota, QuotaAmounts, QuotaException } from './policies.ts';
import type { OperationSummary } from './events.ts';
import { defaultPlatform, platformOf } from './key.ts';
import type { Operation, OperationKind, ServiceBinding, ServiceInstance } from './records.ts';
import type { BindingState, StateWord } from './state.ts';
import type { Seen } from './units.ts';

/** A plan as it is now. */
export type PlanRevision = Pick<ServicePlan, 'offeringId' | 'id' | 'revision'>;

/** Instances: only those to which all that is named applies. */
export interface ListQuery {
  readonly after?: string;
  readonly limit: number;
  /** Only this one. */
  readonly instanceId?: string;
  readonly node?: string;
  readonly offeringId?: string;
  /** Of one of these. */
  readonly planIds?: readonly string[];
  readonly platform?: string;
  readonly organization?: string;
  readonly organizationGuid?: string;
  readonly space?: string;
  readonly spaceGuid?: string;
  readonly state?: StateWord;
  /** Milliseconds since it was made, at least and at most. */
  readonly olderThan?: number;
  readonly youngerThan?: number;
  /** Only those of another revision than that of their plan among these. */
  readonly driftedFrom?: readonly PlanRevision[];
}

/** Operations: only those to which all that is named applies. */
export interface OperationsQuery {
  /** The `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
  readonly state?: Operation['state'];
  readonly kind?: OperationKind;
  /** Only this one. */
  readonly operationId?: string;
  readonly instanceId?: string;
  readonly offeringId?: string;
  /** Milliseconds since it was opened, at least and at most. */
  readonly olderThan?: number;
  readonly youngerThan?: number;
}

export interface OperationsPage {
  readonly operations: readonly Operation[];
  readonly next?: string;
}

/** An instance in a list; of one that cannot be read, what is confidential is empty. */
export interface Listed {
  readonly instance: ServiceInstance;
  /** The open provision, update, deprovision, start, stop or restart. */
  readonly operation?: OperationSummary;
  readonly bindings: number;
  readonly seen?: Seen;
}

/** A binding as the operator sees it: never with what is confidential. */
export interface ListedBinding {
  readonly binding: Omit<ServiceBinding, 'confidential'>;
  /** The open bind or unbind. */
  readonly operation?: OperationSummary;
}

/** Bindings of all instances: only those to which all that is named applies. */
export interface BindingsQuery extends Pick<
  ListQuery,
  | 'limit'
  | 'instanceId'
  | 'node'
  | 'offeringId'
  | 'planIds'
  | 'platform'
  | 'organization'
  | 'space'
  | 'olderThan'
  | 'youngerThan'
> {
  /** The `next` of the page before. */
  readonly after?: string;
  readonly appGuid?: string;
  readonly state?: BindingState;
}

export interface BindingsPage {
  readonly bindings: readonly BindingOfInstance[];
  readonly next?: string;
}

/** A binding in the list of all, with the instance that it is of. */
export interface BindingOfInstance extends ListedBinding {
  readonly instance: Pick<ServiceInstance, 'id' | 'offeringId' | 'planId'>;
}

/** Whose an instance is, as its platform has said: by the names that people know, and by ids. */
export interface InstanceOwner {
  /** As its users call it. */
  readonly name?: string;
  readonly platform?: string;
  /** Of Cloud Foundry the organization, of tsuru the team, of Kubernetes the cluster. */
  readonly organization?: string;
  readonly organizationGuid?: string;
  /** Of Cloud Foundry the space, of Kubernetes the namespace. */
  readonly space?: string;
  readonly spaceGuid?: string;
}

/**
 * Reads the members that platforms put into a context; whatever else lies beside them stays where it is. Which platform
 * it is, is said by its login, where that has a name, and not by what it says of itself.
 */
export function ownerOf({
  id,
  context,
  organizationGuid,
  spaceGuid,
}: Pick<ServiceInstance, 'id' | 'context' | 'organizationGuid' | 'spaceGuid'>): InstanceOwner {
  function told(...names: readonly string[]): string | undefined {
    const values = names.map((name) => (Object.hasOwn(context, name) ? context[name] : undefined));
    return values.find((value) => typeof value === 'string' && value !== '') as string | undefined;
  }
  const { platform } = platformOf(id);
  return {
    name: told('instance_name'),
    platform: platform === defaultPlatform ? told('platform') : platform,
    organization: told('organization_name', 'team', 'clusterid'),
    organizationGuid: organizationGuid ?? told('organization_guid'),
    space: told('space_name', 'namespace'),
    spaceGuid: spaceGuid ?? told('space_guid'),
  };
}

/** The members of an owner by which one is told from another: an id, where there is one, else the name. */
export type OwnerMember = 'platform' | 'organization' | 'organizationGuid' | 'space' | 'spaceGuid';

export interface QuotaOwner {
  readonly by: OwnerMember;
  readonly is: string;
  /** The platform by whose word it is so: another one may say the same of others. Absent: by anybody's. */
  readonly within?: string | undefined;
}

/** What is counted: the instances of an offering, or of a plan, that are of this owner. */
export interface QuotaCount {
  /** Absent: of every offering. */
  readonly offeringId?: string | undefined;
  /** Absent: of every plan. */
  readonly planId?: string | undefined;
  /** Absent: of everybody. */
  readonly owner?: QuotaOwner | undefined;
}

/** A quota that stands in no offering file: it takes the place of the one of the same there. */
export interface QuotaRule extends Quota {
  readonly from: string;
  /** By name; absent: of all offerings. */
  readonly offering?: string | undefined;
  /** By name; absent: of every plan. */
  readonly plan?: string | undefined;
}

/** What an instance takes of a quota. */
export interface QuotaClaim extends QuotaCount {
  readonly quota: Quota;
  /** Is it one more? */
  readonly isNew: boolean;
  readonly cost: number;
  /** What it costs already. */
  readonly held: number;
  /** As people know the owner; absent: there is none. */
  readonly name?: string | undefined;
}

/** By how many more than a quota of instances allows nobody goes on counting who looks for a free one. */
export const countedOver = 1000;

/** What is in use already. */
export type QuotaUse = Required<{ readonly [Name in keyof QuotaAmounts]: number }>;

/** The limit of a quota that would be exceeded. */
export interface QuotaShortage {
  readonly of: 'quota';
  readonly claim: QuotaClaim;
  readonly by: keyof QuotaAmounts;
  readonly limit: number;
  readonly used: number;
}

/** All instances in use of an owner, for the list of operators. */
export interface OwnerUse extends QuotaUse {
  /** By its id, where it has one; absent: nobody has said whose they are, or it is of all. */
  readonly owner?: string | undefined;
  readonly name?: string | undefined;
  /** The platform by whose word it is so; absent: it is of all. */
  readonly within?: string | undefined;
}

/** A quota, with what is in use of it. */
export interface QuotaEntry {
  readonly quota: Quota;
  /** By name; absent: it is of all. */
  readonly offering?: string | undefined;
  /** The plan that it is of alone. */
  readonly plan?: string | undefined;
  /** Those who use most first, at most a hundred of them. */
  readonly uses: readonly (OwnerUse & { readonly exception?: QuotaException | undefined })[];
}

/** What is to be forgotten: an instance as it was read, or one of its bindings. */
export interface Forgotten {
  readonly instanceId: string;
  readonly version: number;
  readonly bindingId?: string;
}

/** What an instance, as it was read, is marked with. */
export interface Mark {
  readonly instanceId: string;
  readonly version: number;
  /** Undefined: it may be deleted. */
  readonly protectedFrom: Date | undefined;
  readonly keptUntil: Date | undefined;
}
