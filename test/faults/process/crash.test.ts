// The broker is killed after each step of a provision in turn, and another process becomes the node.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../../src/broker/key.ts';
import { say } from '../../provisioners/process/process-node.ts';
import { keyIn } from '../../support/instance-key.ts';
import { fates, killAtEach, openStepGate, type StepGate } from '../step-gate.ts';
import { openOneNode, pathOf, processesOf, type Maker, type OneNode } from './one-node.ts';
import { tiny } from './offerings.ts';
import { until } from '../../support/until.ts';

const steps = ['init', 'prepare', 'configure', 'check_up', 'start', 'check_up', 'once_ready'];
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

// However slow the machine is, it has its operations, and waits for its answers, until it is killed.
const env = { DATABASE_POOL: '40', NODE_PORTS: '21200-21299', LEASE: '15s', SYNC_PATIENCE: '10m' };
const start = () => oneNode.start(env);
let oneNode: OneNode;
let gate: StepGate;
let next: Maker;
beforeAll(async () => {
  const note = 'echo "$PURVEYOR_ACTION" >> ran';
  oneNode = await openOneNode([tiny('tiny', { hooks, monitor: { every: '1s' } })], {
    'tiny/note': note,
  });
  next = await start();
  gate = await openStepGate(oneNode.database);
  next = await killAtEach(gate, cases, ({ id }) => next.provision(id, of), next, start);
});
afterAll(async () => {
  await gate.close();
  await oneNode.close();
});

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
  next = await start();
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
  next = await killAtEach(gate, some, ({ id }) => next.deprovision(id, of), next, start);
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
