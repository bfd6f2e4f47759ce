import { ownerOf, type Listed } from '../../broker/listing.ts';
import type { Operation, ServiceInstance } from '../../broker/records.ts';
import { describeState } from '../../broker/state.ts';
import type { ListQuery, OperationsPage, OperationsQuery, PlanRevision } from '../../broker/listing.ts';

import { readPageMark, writePageMark } from '../page-mark.ts';
import { discreet, operationOf } from './find.ts';
import { bindingsOf, type Row, type Tables } from './tables.ts';

export function list(tables: Tables, query: ListQuery): readonly Listed[] {
  return [...tables.instances.values()]
    .filter((row) => isAsked(tables, row, query))
    .toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1))
    .slice(0, query.limit)
    .map((row) => {
      const operation = operationOf(tables, row);
      const seen = tables.checks.get(row.record.id)?.seen;
      return {
        instance: row.record,
        ...(operation && { operation: discreet(operation) }),
        bindings: countBindings(tables, row.record.id),
        ...(seen && { seen }),
      };
    });
}

function isAsked(tables: Tables, row: Row<ServiceInstance>, asked: ListQuery): boolean {
  const { record } = row;
  const { platform, organization, organizationGuid, space, spaceGuid } = ownerOf(record);
  const is = (wanted: string | undefined, found: string | undefined) =>
    wanted === undefined || wanted === found;
  return (
    (asked.after === undefined || record.id > asked.after) &&
    is(asked.instanceId, record.id) &&
    is(asked.node, record.place?.node) &&
    is(asked.offeringId, record.offeringId) &&
    (asked.planIds === undefined || asked.planIds.includes(record.planId)) &&
    is(asked.platform, platform) &&
    is(asked.organization, organization) &&
    is(asked.organizationGuid, organizationGuid) &&
    is(asked.space, space) &&
    is(asked.spaceGuid, spaceGuid) &&
    is(asked.state, describeState({ instance: record, operation: operationOf(tables, row) })) &&
    isOfAge(tables, record, asked) &&
    (asked.driftedFrom === undefined || isDrifted(record, asked.driftedFrom))
  );
}

export function isOfAge(
  { now }: Tables,
  { createdAt }: Pick<Operation, 'createdAt'>,
  { olderThan = 0, youngerThan = Infinity }: Pick<ListQuery, 'olderThan' | 'youngerThan'>,
): boolean {
  const age = now() - createdAt.getTime();
  return age >= olderThan && age <= youngerThan;
}

export function countDrifted({ instances }: Tables, plans: readonly PlanRevision[]): number {
  return [...instances.values()].filter(({ record }) => isDrifted(record, plans)).length;
}

function isDrifted(
  { offeringId, planId, revision }: ServiceInstance,
  plans: readonly PlanRevision[],
): boolean {
  return plans.some(
    (plan) => plan.offeringId === offeringId && plan.id === planId && plan.revision !== revision,
  );
}

/** A bind that failed gave nothing to anybody. */
function countBindings(tables: Tables, instanceId: string): number {
  return bindingsOf(tables, instanceId).filter(({ record, operationId }) => record.ready || operationId)
    .length;
}

/** Their order is that of time and, where that is the same, of opening. */
export function listOperations(tables: Tables, asked: OperationsQuery): OperationsPage {
  const [at, seq] = asked.after === undefined ? [] : readPageMark(asked.after, 'number');
  const rows = [...tables.operations.values()]
    .map(({ operation }, number) => ({ operation, time: operation.createdAt.toISOString(), number }))
    .toSorted((a, b) => (a.time === b.time ? b.number - a.number : a.time < b.time ? 1 : -1))
    .filter(
      ({ time, number }) =>
        at === undefined || seq === undefined || time < at || (time === at && number < seq),
    )
    .filter(({ operation }) => isOperationAsked(tables, operation, asked))
    .slice(0, asked.limit);
  const last = rows.length === asked.limit ? rows.at(-1) : undefined;
  return {
    operations: rows.map(({ operation }) => operation),
    next: last && writePageMark([last.time, last.number]),
  };
}

function isOperationAsked(
  tables: Tables,
  operation: Operation,
  { state, kind, operationId, instanceId, offeringId, ...ages }: OperationsQuery,
): boolean {
  return (
    (state === undefined || operation.state === state) &&
    (kind === undefined || operation.kind === kind) &&
    (operationId === undefined || operation.id === operationId) &&
    (instanceId === undefined || operation.instanceId === instanceId) &&
    (offeringId === undefined || operation.offeringId === offeringId) &&
    isOfAge(tables, operation, ages)
  );
}
