import type { ServiceInstance } from './records.ts';

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
