import { ownerOf } from '../../broker/listing.ts';
import type { Loss, ServiceInstance } from '../../broker/records.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

interface LossRow {
  readonly lost_node: string | null;
  readonly lost_at: string | null;
  readonly lost_key: string | null;
}

/** @param value of a row at least the columns of the loss, or null where there is none */
export function readLoss(value: unknown): Loss | null {
  if (value === null) return null;
  const { lost_node: node, lost_at: at, lost_key: key } = value as LossRow;
  if (node === null || at === null) return null;
  return { node, at: new Date(at), key: key ?? undefined };
}

export function lossColumns(lost: Loss | undefined): Readonly<Record<string, Sql>> {
  return {
    lost_node: sql`${lost?.node}::text`,
    lost_at: sql`${lost?.at}::timestamptz`,
    lost_key: sql`${lost?.key}::text`,
  };
}

/** Only a deletion writes it; whatever else is written leaves it as it is. */
export function keptColumn({ keptUntil }: ServiceInstance): Readonly<Record<string, Sql>> {
  return keptUntil ? { kept_until: sql`${keptUntil}::timestamptz` } : {};
}

/** By what lists are asked for; whatever is longer, or no text of Postgres, was never meant to be. */
export function ownerColumns(instance: ServiceInstance): Readonly<Record<string, Sql>> {
  const { platform, organization, space } = ownerOf(instance);
  const cut = (text: string | undefined) =>
    sql`left(${text?.isWellFormed() ? text.replaceAll('\u0000', '') : undefined}::text, 200)`;
  return { platform: cut(platform), organization: cut(organization), space: cut(space) };
}
