// A database with very much in it, as brokers would have left it there: sealed, with bindings and history.
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { sealConfidential } from '../../src/stores/confidential.ts';
import type { KeyRing } from '../../src/stores/keyring.ts';

/** The id of the instance with this number. */
export function idOf(number: number): string {
  return createHash('md5').update(String(number)).digest('hex');
}

/** Instances that are written at once. */
const batch = 5000;

/**
 * Of ten instances five are plain, two count for quotas, two are on nodes, and one is looked after by any broker. Each has
 * a binding, two operations and two entries of the audit trail; a few have failed, some go on at nodes that are gone. One
 * platform has more than any other, and nothing that counts.
 * The tables must be there, and the revisions of the plans.
 */
export async function fillWorld(pool: Pool, count: number, keys: KeyRing): Promise<void> {
  const { rows } = await pool.query<{ plan_id: string; revision: string }>(
    'select plan_id, revision from plan_revisions',
  );
  const revisions = Object.fromEntries(rows.map(({ plan_id, revision }) => [plan_id, revision]));
  await pool.query(nodesText, [Math.max(50, Math.floor(count / 2000))]);
  for (let first = 1; first <= count; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, count - first + 1) }, (_, at) => first + at);
    const ids = numbers.map(idOf);
    const parameters = { parameters: { keep: 10 }, secrets: { token: 'a secret' }, facts: {} };
    const sealed = ids.map((id) =>
      sealConfidential(keys, { table: 'service_instances', ids: [id] }, parameters),
    );
    const answer = { credentials: { token: 'a secret' } };
    const credentials = { parameters: {}, secrets: { token: 'a secret' }, facts: {}, answer };
    const bound = ids.map((id) =>
      sealConfidential(keys, { table: 'service_bindings', ids: [id, 'binding'] }, credentials),
    );
    const values = [numbers, ids, sealed, JSON.stringify(revisions), count];
    await pool.query(instancesText, values);
    await pool.query(bindingsText, [numbers, ids, bound]);
    for (const text of historyTexts) await pool.query(text, [numbers, ids, count]);
  }
  for (const text of othersTexts) await pool.query(text, [count]);
  await pool.query('vacuum (analyze)');
}

const nodesText = `
  insert into nodes (name, host, url, directory, first_port, last_port, capacity, executables, holder, machine, beat_at)
  select 'gone-' || n, 'h', 'http://h', '/', 20000, 29999, 1000, '[]', '', 'm', now() - interval '1 day'
  from generate_series(0, $1::integer - 1) n`;

const source = 'from unnest($1::integer[], $2::text[]';

const kinds = `case when n <= 3 then 'rarely' when n % 10 in (4, 6) then 'counted' when n % 10 in (7, 8) then 'folders'
  else 'echoes' end`;

const instancesText = `
  insert into service_instances (id, version, key, operation_id, offering_id, plan_id, revision, organization_guid,
    space_guid, context, node, cost, check_every, ready, confidential, platform, organization, space, created_at)
  select id, 3, 'p' || left(md5('key' || n), 20), case when n % 2000 = 2 then 'open-' || n end, kind, kind || '-plan',
    case when n % 5000 = 4 then 'old' else $4::json ->> (kind || '-plan') end, 'o-' || n % 3000, 's-' || n % 9000,
    '{"platform": "cloudfoundry"}', case when kind = 'folders' then 'gone-' || n / 10 % greatest(50, $5::integer / 2000) end,
    case when kind = 'folders' then 1 end, case when kind = 'folders' or n % 10 = 9 then 30000 end, n % 1000 <> 1, sealed,
    'platform-' || case when n % 40 = 13 then 7 else n % 400 end, 'organization-' || n % 3000, 'space-' || n % 9000, now() - n * interval '1 second'
  ${source}, $3::text[]) u (n, id, sealed), lateral (select ${kinds} as kind) k`;

const bindingsText = `
  insert into service_bindings (instance_id, id, key, app_guid, context, ready, expires_at, confidential, created_at)
  select id, 'binding', 'p' || left(md5('bound' || n), 20), 'app-' || n % 5000, '{}', true,
    case when n % 50 = 5 then now() + interval '1 year' end, sealed, now() - n * interval '1 second'
  ${source}, $3::text[]) u (n, id, sealed) where n % 1000 <> 1`;

const historyTexts = [
  `insert into operations (id, kind, instance_id, binding_id, offering_id, plan_id, state, attempt, failures, node, origin,
    confidential, created_at, finished_at, due_at, deadline)
  select what || n, case when what = 'open-' then 'update' when what = 'made-' then 'provision' else 'bind' end, id,
    case when what = 'bound-' then 'binding' end, kind, kind || '-plan',
    case when what = 'open-' then 'in progress' when n % 1000 = 1 then 'failed' else 'succeeded' end, 1, 0,
    case when what = 'open-' then 'gone-1' end, '{"protocol": "osb"}', '{}', now() - n * interval '1 second',
    case when what <> 'open-' then now() - n * interval '1 second' end, now(), now() + interval '1 day'
  ${source}) u (n, id), lateral (select ${kinds} as kind) k, (values ('made-'), ('bound-'), ('open-')) w (what)
  where (what <> 'open-' or n % 2000 = 2) and $3::integer > 0`,
  `insert into operation_steps (operation_id, number, step, tries, undo, ms)
  select 'made-' || n, 1, 'make', 1, false, 5 ${source}) u (n, id) where n % 10 = 7 and $3::integer > 0`,
  `insert into instance_checks (instance_id, due_at, seen)
  select id, now() + interval '1 hour' + n * interval '1 millisecond', '{"units": [{"unit": "directory", "status": "started",
    "reason": "", "since": "2026-01-01T00:00:00Z"}], "checkedAt": "2026-01-01T00:00:00Z"}'
  ${source}) u (n, id) where n % 10 in (7, 8, 9) and n > 3 and n % 1000 <> 1 and $3::integer > 0`,
  `insert into audit_trail (id, at, broker, protocol, principal, verb, object_kind, object_id, instance_id, outcome,
    ended_at, confidential)
  select what || n, now() - n * interval '1 second', 'broker', 'osb', case when n % 3000 = 7 then 'operator' else 'broker' end,
    case when what = 'made-' then 'provision' else 'bind' end, case when what = 'made-' then 'instance' else 'binding' end,
    case when what <> 'made-' then 'binding' end, id, case when n % 1000 = 1 then 'failed' else 'succeeded' end, now(), '{}'
  ${source}) u (n, id), (values ('made-'), ('bound-')) w (what) where $3::integer > 0`,
];

const othersTexts = [
  `insert into backups (id, name, instance_id, offering_id, plan_id, revision, size, sha256, protocol, created_at)
  select 'backup-' || n, 'name-' || n, md5(n::text), case when n = 10 then 'rarely' else 'folders' end, 'folders-plan', 'r', 1,
    '', 'operator', now() - n * interval '1 second' from generate_series(10, $1::integer, 10) n`,
  `insert into node_ports (node, port, instance_id, name)
  select 'gone-' || n / 9000, 20000 + n % 9000, md5(n::text), 'main' from generate_series(1, $1::integer / 5) n`,
  `insert into node_users (uid, node, owner) select 3000000 + n, 'gone-' || n / 9000, md5(n::text)
  from generate_series(1, $1::integer / 5) n`,
];
