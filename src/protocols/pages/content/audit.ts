import type { AuditEntryAnswer } from '../../operator/wire/audit.ts';
import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { filtersOf, pagerOf } from '../filters.ts';
import { instancePath } from '../paths.ts';
import { listPage, paged } from './lists.ts';
import type { Cell, PageContent } from './parts.ts';
import { badge, between, cell, code, listed, moment, person, soft, text } from './words.ts';

export async function auditPage(ask: Ask, { query }: Pick<Call, 'query'>): Promise<PageContent> {
  const { entries, next } = await ask('audit', { query: paged(query) });
  const columns = [
    { name: 'When (UTC)' },
    { name: 'Who' },
    { name: 'What' },
    { name: 'To what' },
    { name: 'Outcome' },
    { name: 'Changes' },
  ];
  const rows = entries.map((entry) => [
    cell(moment(entry.at), soft(between(entry.at, entry.ended_at))),
    cell(
      text(entry.principal ?? entry.protocol),
      soft(entry.principal && entry.protocol),
      soft(person(entry.identity)),
      soft(entry.address),
    ),
    cell(text(entry.verb)),
    objectOf(entry),
    cell(badge(entry.outcome ?? 'not ended'), soft(entry.reason), soft(listed(entry.result))),
    changesOf(entry),
  ]);
  const empty = 'There are no such entries.';
  return listPage('Audit trail', [
    filtersOf('audit', 'audit', query),
    { is: 'table', label: 'Audit trail', columns, rows, empty },
    pagerOf('audit', query, next),
  ]);
}

function objectOf({ kind, object_id: id, instance_id: instance }: AuditEntryAnswer): Cell {
  const isInstance = kind === 'instance';
  return cell(
    soft(kind),
    code(id, isInstance ? instancePath(id) : undefined),
    instance === undefined || instance === id ? undefined : code(instance, instancePath(instance)),
  );
}

function changesOf({ before, after }: AuditEntryAnswer): Cell {
  const [was, is] = [listed(before), listed(after)];
  return cell(soft(was && `before: ${was}`), soft(is && `after: ${is}`));
}
