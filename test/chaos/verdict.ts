// What there is in the end, held against what the platform believes in.
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { keyOf } from '../../src/broker/key.ts';
import { call } from '../support/started-brokers.ts';
import { operatorPassword, serversOf, type Cluster } from './cluster.ts';
import type { OfferingName } from './offerings.ts';
import type { Believed, Credentials, Platform } from './platform.ts';

/** Everything that is wrong, as sentences. */
export async function judge(
  cluster: Cluster,
  { believed }: Platform<OfferingName>,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const all = [...believed];
  const ids = (offering: OfferingName) =>
    all.filter(([, one]) => one.offering === offering).map(([id]) => id);
  const same = (what: string, there: readonly unknown[], wanted: readonly unknown[]) => {
    const [one, other] = [there, wanted].map((list) => list.map(String).toSorted().join(' '));
    if (one !== other) faults.push(`${what}: there are\n  ${one}\ninstead of\n  ${other}`);
  };
  const column = async (text: string) =>
    (await cluster.pool.query<{ it: unknown }>(text)).rows.map(({ it }) => it);
  const keys = new Map<string, string>();
  for (const { id, key } of (
    await cluster.pool.query<{ id: string; key: string | null }>('select id, key from service_instances')
  ).rows)
    keys.set(id, key ?? keyOf(id));
  const keysOf = (offering: OfferingName) => ids(offering).map((id) => keys.get(id));
  const bound = all.flatMap(([id, { bindings }]) => [...bindings.keys()].map((one) => nameOf(id, one)));

  same('instances', await column('select id as it from service_instances'), [...believed.keys()]);
  const rows = await cluster.pool.query<{ instance: string; id: string }>(
    'select instance_id as instance, id from service_bindings',
  );
  same(
    'bindings',
    rows.rows.map(({ instance, id }) => nameOf(instance, id)),
    bound,
  );
  same(
    'operations in progress',
    await column(`select id as it from operations where state = 'in progress'`),
    [],
  );
  same(
    'owners of ports',
    await column('select distinct instance_id as it from node_ports where instance_id is not null'),
    keysOf('lines'),
  );
  same(
    'databases',
    await column(`select datname as it from pg_database where datname ~ '^p[0-9a-f]{20}$'`),
    keysOf('databases'),
  );
  const roles = all.flatMap(([, { offering, bindings }]) =>
    offering === 'databases' ? [...bindings.values()].map(({ user }) => user) : [],
  );
  same('roles', await column(`select rolname as it from pg_roles where rolname ~ '^p[0-9a-f]{20}$'`), [
    ...keysOf('databases'),
    ...roles,
  ]);
  const held = all.flatMap(([id, { offering, bindings }]) =>
    offering === 'slow' ? [id, ...[...bindings.keys()].map((one) => nameOf(id, one))] : [],
  );
  const records = await cluster.pool.query<{ instance: string; id: string | null }>(
    `select instance_id as instance, binding_id as id from trial_records where part ~ '^(instance|binding)'`,
  );
  same(
    'records',
    records.rows.map(({ instance, id }) => (id === null ? instance : nameOf(instance, id))),
    held,
  );
  const ledger = all.flatMap(([id, { offering, bindings }]) =>
    offering === 'ledgers' ? [keys.get(id), ...[...bindings.values()].map(({ file }) => file)] : [],
  );
  same('entries of the ledger', readdirSync(join(cluster.scratch, 'ledger')), ledger);
  const kinds = { process: 'lines', directory: 'folders', command: 'ledgers' } as const;
  for (const [kind, offering] of Object.entries(kinds))
    same(
      `directories of ${kind}`,
      cluster.slots.flatMap(({ nodeDir }) => namesIn(join(nodeDir, kind))),
      keysOf(offering),
    );
  same(
    'processes',
    serversOf(cluster.scratch).map(({ key }) => key),
    keysOf('lines'),
  );
  for (const [id, one] of all) faults.push(...(await brokenOf(id, one)));
  const [slot] = cluster.slots;
  const orphans = await call(`operator:${operatorPassword}`, `${slot?.broker()?.address}/operator/orphans`);
  const told = await orphans.text();
  if (!/"orphans":\[\]/.test(told)) faults.push(`Orphans are told: ${told}`);
  return faults;
}

/** Nobody outside knows what the bindings of tsuru are called. */
function nameOf(instanceId: string, bindingId: string): string {
  return `${instanceId}/${instanceId.startsWith('tsuru.') ? 'one' : bindingId}`;
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => /^p[0-9a-f]{20}$/.test(name)) : [];
}

async function brokenOf(
  id: string,
  { offering, bindings }: Believed<OfferingName>,
): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const [binding, credentials] of bindings) {
    const trouble = await use(offering, credentials).then(
      (works) => (works ? undefined : 'no'),
      (error: unknown) => String(error),
    );
    if (trouble !== undefined) broken.push(`${offering} ${id}/${binding} does not work: ${trouble}`);
  }
  return broken;
}

async function use(offering: OfferingName, given: Credentials): Promise<boolean> {
  switch (offering) {
    case 'folders':
      return existsSync(String(given['path']));
    case 'lines':
      return answersPing(String(given['host']), Number(given['port']));
    case 'databases': {
      const client = new Client(String(given['uri']));
      await client.connect();
      await client.query('select 1');
      await client.end();
      return true;
    }
    default:
      return Object.keys(given).length > 0;
  }
}

function answersPing(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write('PING\n'));
    let said = '';
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('PONG')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said.includes('PONG')));
  });
}
