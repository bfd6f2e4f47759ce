import { ownerOf, type BindingsPage, type BindingsQuery } from '../../broker/listing.ts';
import type { ServiceBinding } from '../../broker/records.ts';
import { describeBindingState } from '../../broker/state.ts';
import { readIdsMark, writeIdsMark } from '../page-mark.ts';
import { discreet, operationOf } from './find.ts';
import { isOfAge } from './list.ts';
import type { Row, Tables } from './tables.ts';

export function listBindings(tables: Tables, asked: BindingsQuery): BindingsPage {
  const after = asked.after === undefined ? undefined : readIdsMark(asked.after);
  const rows = [...tables.bindings.values()]
    .filter(({ record }) => !after || compare([record.instanceId, record.id], after) > 0)
    .filter((row) => isAsked(tables, row, asked))
    .toSorted(({ record: a }, { record: b }) => compare([a.instanceId, a.id], [b.instanceId, b.id]))
    .slice(0, asked.limit);
  const last = rows.length === asked.limit ? rows.at(-1)?.record : undefined;
  return {
    bindings: rows.flatMap((row) => {
      const instance = tables.instances.get(row.record.instanceId)?.record;
      const operation = operationOf(tables, row);
      if (!instance) return [];
      const { id, offeringId, planId } = instance;
      return [
        {
          binding: discreet(row.record),
          instance: { id, offeringId, planId },
          ...(operation && { operation: discreet(operation) }),
        },
      ];
    }),
    next: last && writeIdsMark(last.instanceId, last.id),
  };
}

type Key = readonly [instanceId: string, bindingId: string];

function compare(a: Key, b: Key): number {
  const [one, other] = a[0] === b[0] ? [a[1], b[1]] : [a[0], b[0]];
  return one < other ? -1 : Number(one > other);
}

function isAsked(tables: Tables, row: Row<ServiceBinding>, asked: BindingsQuery): boolean {
  const { record } = row;
  const instance = tables.instances.get(record.instanceId)?.record;
  if (!instance) return false;
  const { platform, organization, space } = ownerOf(instance);
  const is = (wanted: string | undefined, found: string | undefined) =>
    wanted === undefined || wanted === found;
  const stands = { binding: record, operation: operationOf(tables, row) };
  return (
    is(asked.instanceId, instance.id) &&
    is(asked.node, instance.place?.node) &&
    is(asked.offeringId, instance.offeringId) &&
    (asked.planIds === undefined || asked.planIds.includes(instance.planId)) &&
    is(asked.platform, platform) &&
    is(asked.organization, organization) &&
    is(asked.space, space) &&
    is(asked.appGuid, record.appGuid) &&
    is(asked.state, describeBindingState(stands, new Date(tables.now()))) &&
    isOfAge(tables, record, asked)
  );
}
