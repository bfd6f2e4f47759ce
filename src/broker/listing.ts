/** What lists can be asked for, and whose the instances in them are. */
import type { ServicePlan } from './catalog.ts';
import type { Operation, OperationKind, ServiceInstance } from './records.ts';
import type { StateWord } from './state.ts';

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

/** Reads the members that platforms put into a context; whatever else lies beside them stays where it is. */
export function ownerOf({
  context,
  organizationGuid,
  spaceGuid,
}: Pick<ServiceInstance, 'context' | 'organizationGuid' | 'spaceGuid'>): InstanceOwner {
  function told(...names: readonly string[]): string | undefined {
    const values = names.map((name) => (Object.hasOwn(context, name) ? context[name] : undefined));
    return values.find((value) => typeof value === 'string' && value !== '') as string | undefined;
  }
  return {
    name: told('instance_name'),
    platform: told('platform'),
    organization: told('organization_name', 'team', 'clusterid'),
    organizationGuid: organizationGuid ?? told('organization_guid'),
    space: told('space_name', 'namespace'),
    spaceGuid: spaceGuid ?? told('space_guid'),
  };
}
