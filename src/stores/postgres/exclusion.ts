// The table of exclusion as conditions of the statement that opens an operation.
import { betweenBindings, exclusion, type Meeting } from '../../broker/exclusion.ts';
import type { OperationKind } from '../../broker/records.ts';
import type { Opening } from '../../broker/store.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

type Row = Readonly<Partial<Record<OperationKind, Meeting>>>;

/** Of the operation that it would cancel: is it of the same thing, and one that may be cancelled, now? */
export function cancellable({ operation: { kind, instanceId, bindingId } }: Opening): Sql {
  const row = exclusion[kind];
  const always = kindsThat(row, (meeting) => meeting === 'cancels');
  const unbegun = kindsThat(row, (meeting) => meeting === 'cancels unbegun');
  return sql`instance_id = ${instanceId} and binding_id is not distinct from ${bindingId}::text
    and (kind = any(${always}::text[]) or (kind = any(${unbegun}::text[]) and attempt = 0))`;
}

/**
 * Is nothing open on bindings beside which it may not be? What is opened, or ends, while the statement waits for a row
 * has raised the version of the instance, or is named by the row: so it is not overlooked either.
 */
export function unhindered({ operation: { kind, instanceId, bindingId } }: Opening): Sql {
  const row = kind === 'bind' || kind === 'unbind' ? betweenBindings[kind] : bindingsIn(exclusion[kind]);
  const inTheWay = kindsThat(row, (meeting) => meeting !== 'beside');
  // Not to be looked for in vain, with each bind.
  if (inTheWay.length === 0) return sql`true`;
  return sql`not exists (
      select from operations o where o.instance_id = ${instanceId} and o.state = 'in progress'
        and o.binding_id is not null and o.binding_id is distinct from ${bindingId}::text
        and o.kind = any(${inTheWay}::text[]))`;
}

function bindingsIn({ bind, unbind }: Row): Row {
  return { ...(bind && { bind }), ...(unbind && { unbind }) };
}

function kindsThat(row: Row, isSo: (meeting: Meeting) => boolean): readonly string[] {
  return Object.entries(row).flatMap(([kind, meeting]) => (isSo(meeting) ? [kind] : []));
}
