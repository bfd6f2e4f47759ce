// The broker is killed after each step of a provision in turn, and another process becomes the node.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { keyOf } from '../../../src/broker/key.ts';
import { say } from '../../provisioners/process/process-node.ts';
import { keyIn } from '../../support/instance-key.ts';
import { openOneNode, pathOf, processesOf, type Maker, type OneNode } from './one-node.ts';
import { tiny } from './offerings.ts';
import { until } from '../../support/until.ts';

const steps = ['init', 'prepare', 'configure', 'check_up', 'start', 'check_up', 'once_ready'];
/** What becomes of the statement that tells of the step: it is executed, or thrown away with its connection. */
const fates = ['recorded', 'done and not recorded'] as const;
const cases = fates.flatMap((fate) =>
  steps.map((step, index) => ({ fate, step, number: index + 1, id: idOf(fate, index + 1) })),
);
/** A run of these tests beside this one has other instances. */
function idOf(fate: (typeof fates)[number], number: number): string {
  return `killed-${fates.indexOf(fate)}-${number}-${process.pid}`;
}

const of = { offering: 'tiny', plan: 'small' };
const run = ['./hooks/tiny/note'];
const hooks = {
  ...Object.fromEntries(['init', 'prepare', 'configure'].map((hook) => [hook, { run, once: true }])),
  once_ready: { run },
};

const env = { DATABASE_POOL: '40', NODE_PORTS: '21200-21299' };
let oneNode: OneNode;
let gate: Client;
let next: Maker;
beforeAll(async () => {
  const note = 'echo "$PURVEYOR_ACTION" >> ran';
  oneNode = await openOneNode([tiny('tiny', { hooks, monitor: { every: '1s' } })], {
    'tiny/note': note,
  });
  gate = new Client(oneNode.database.config);
  await gate.connect();
  next = await oneNode.start(env);
  await makeGates();
  await killAtEach(cases, ({ id }) => next.provision(id, of));
});
afterAll(async () => {
  await gate.end();
  await oneNode.close();
});

/** Asks for all, kills the broker when each has come to its point, and lets another one take over. */
async function killAtEach(points: typeof cases, ask: (one: (typeof cases)[number]) => Promise<unknown>) {
  for (const { id, number, fate } of points)
    await gate.query('insert into points values ($1, $2, $3)', [id, number, fates.indexOf(fate)]);
  for (const fate of fates.keys()) await gate.query(`select pg_advisory_lock(${lock}, $1)`, [fate]);
  for (const one of points) void ask(one).catch(() => undefined);
  await until('each is stopped at its step', async () => (await waiting()).length === points.length);
  await next.kill();
  await openGates();
  next = await oneNode.start(env);
}

/** Whoever writes the step of such a number and instance waits, in the middle of the statement, for the gate's lock. */
async function makeGates(): Promise<void> {
  await gate.query('create table points (instance_id text, number integer, fate integer)');
  await gate.query(`
    create function wait_at_point() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock_shared(hashtext(current_schema), fate) from points p
        join operations o using (instance_id) where o.id = new.operation_id and p.number = new.number;
      return new;
    end $$`);
  await gate.query(
    'create trigger wait_at_point after insert on operation_steps for each row execute function wait_at_point()',
  );
}

const lock = 'hashtext(current_schema)';

async function waiting(fate?: number): Promise<readonly number[]> {
  const { rows } = await gate.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and not granted and objsubid = 2
       and classid = ${lock}::oid and objid = coalesce($1::integer::oid, objid)`,
    [fate],
  );
  return rows.map(({ pid }) => pid);
}

async function openGates(): Promise<void> {
  await gate.query('delete from points');
  for (const pid of await waiting(fates.indexOf('done and not recorded')))
    await gate.query('select pg_terminate_backend($1)', [pid]);
  await gate.query('select pg_advisory_unlock_all()');
  await until('they have ended', async () => (await waiting()).length === 0);
}

test.each(cases)(
  'Killed when step $number, $step, was $fate: it is made, each hook ran once, one process, one port [A12].',
  async ({ id }) => {
    await until('its provision has ended', async () => {
      const { body } = await next.ask('GET', `${pathOf(id)}/last_operation`);
      return body['state'] !== 'in progress' && body;
    });
    const seen = await next.shows(id, 'started');
    const [operation] = seen.operations;
    expect(operation).toMatchObject({ kind: 'provision', state: 'succeeded' });
    expect(operation?.timeline.map(({ step }) => step)).toEqual(steps);
    expect(oneNode.read(id, 'ran')).toBe('init\nprepare\nconfigure\nonce_ready\n');

    expect(processesOf(id)).toEqual([seen.units[0]?.pid]);
    expect(oneNode.read(id, 'starts')).toBe(`${seen.units[0]?.pid}\n`);
    const { rows } = await oneNode.database.pool.query<{ port: number }>(
      'select port from node_ports where instance_id = (select key from service_instances where id = $1)',
      [id],
    );
    const { status, body } = await next.bind(id, of);
    const { host, port } = body['credentials'] as { host: string; port: number };
    expect([status, rows]).toEqual([201, [{ port }]]);
    expect(await say(port, 'SAY', host)).toBe('hello');
    expect((await next.provision(id, of)).status).toBe(200);
  },
);

test('In the end there is no orphan, and a further broker finds all of it running [A19].', async () => {
  const made = cases.map(({ id }) => keyIn(join(oneNode.directory, 'process'), id));
  expect(oneNode.keys().toSorted()).toEqual(made.toSorted());
  const pids = cases.map(({ id }) => processesOf(id));
  await next.kill();
  // Its being found shows that somebody has looked.
  mkdirSync(join(oneNode.directory, 'process', planted));
  next = await oneNode.start(env);
  const orphans = await until('something is found', async () => {
    const { body } = await next.operate('GET', '/orphans');
    const all = body['orphans'] as readonly { readonly key: string }[];
    return all.length > 0 && all.map(({ key }) => key);
  });
  expect(orphans).toEqual([planted]);
  expect(cases.map(({ id }) => processesOf(id))).toEqual(pids);
});

const planted = keyOf('planted');

test('Killed at each step of a removal, another broker ends it, and nothing is left.', async () => {
  const removal = ['stop', 'check_up', 'remove', 'release'];
  const some = cases.filter(({ number }) => number <= removal.length);
  await killAtEach(some, ({ id }) => next.deprovision(id, of));
  await until('all are gone', async () => {
    const { body } = await next.operate('GET', '/instances');
    const left = (body['instances'] as readonly { readonly id: string }[]).map(({ id }) => id);
    return !some.some(({ id }) => left.includes(id));
  });
  const { rows } = await oneNode.database.pool.query<{ steps: readonly string[] }>(
    `select array_agg(step order by number) as steps from operation_steps join operations on id = operation_id
      where kind = 'deprovision' and state = 'succeeded' group by id`,
  );
  // What has been stopped and not recorded is found to be over: nobody stops it again.
  expect(rows.map(({ steps: taken }) => taken.slice(-2))).toEqual(some.map(() => removal.slice(-2)));
  const rest = cases.filter((one) => !some.includes(one));
  const removed = await Promise.all(rest.map(({ id }) => next.deprovision(id, of)));
  expect(removed.map(({ status }) => status)).toEqual(rest.map(() => 200));
  expect(processesOf(...cases.map(({ id }) => id))).toEqual([]);
  expect(oneNode.keys()).toEqual([planted]);
  const owned = 'select count(*)::integer as ports from node_ports where instance_id is not null';
  expect((await oneNode.database.pool.query(owned)).rows).toEqual([{ ports: 0 }]);
});
