import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../../src/broker/key.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';

/** Whatever operators do is one event, of the broker that they have asked, with who they are and what it came to. */

const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};
const login = `operator:${operatorPassword}`;
const env = { CATALOG_DIR: 'test/support/node-catalog', NODE_PORTS: '26000-26099' };
const id = `told-${randomUUID()}`;
const orphan = keyOf('an instance that nobody has');

let database: TestDatabase;
let left: WholeBroker;
let right: WholeBroker;

beforeAll(async () => {
  database = await openTestDatabase();
  const directory = scratchDirectory('told');
  mkdirSync(join(directory, 'process', orphan), { recursive: true });
  left = await startWholeBroker(database, { ...env, NODE_NAME: 'left', NODE_DIR: directory });
  const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
  expect((await left.ask('put', `/v2/service_instances/${id}`, { body })).status).toBe(201);
  right = await startWholeBroker(database, { ...env, NODE_NAME: 'right' });
});
afterAll(async () => {
  expect((await left.ask('delete', `/v2/service_instances/${id}`, { query: ticker })).status).toBe(200);
  await left.stop();
  await right.stop();
  await database.close();
});

async function operate(
  broker: WholeBroker,
  [method, path, body]: readonly ['get' | 'post', string, object?],
): Promise<{ status: number; requestId: string }> {
  const requestId = randomUUID();
  const headers = { 'X-Vcap-Request-Id': requestId };
  const { status } = await broker.ask(method, `/operator/${path}`, {
    login,
    headers,
    ...(method === 'post' ? { body: body ?? {} } : {}),
  });
  return { status, requestId };
}

/** The lines of commands in the log of a broker, of this request. */
function toldBy(broker: WholeBroker, requestId: string): readonly Record<string, unknown>[] {
  return broker
    .output()
    .split('\n')
    .filter((line) => line.includes(requestId) && line.includes('"message":"command '))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function expectTold(
  asked: readonly ['get' | 'post', string, object?],
  expected: object,
  broker = left,
): Promise<number> {
  const { status, requestId } = await operate(broker, asked);
  const told = [left, right].flatMap((one) => toldBy(one, requestId).map((line) => ({ one, line })));
  expect(told).toHaveLength(1);
  expect(told[0]?.one === broker).toBe(true);
  expect(told[0]?.line).toMatchObject({
    protocol: 'operator',
    principal: 'operator',
    requestId,
    ...expected,
  });
  return status;
}

const succeeded = { level: 'info', message: 'command succeeded', ms: expect.any(Number) as number };
const failed = { level: 'warn', message: 'command failed', ms: expect.any(Number) as number };

/** A node that is down. */
async function leaveNode(name: string): Promise<void> {
  const broker = await startWholeBroker(database, { ...env, NODE_NAME: name });
  await broker.stop();
  await database.pool.query(`update nodes set beat_at = now() - interval '1 minute' where name = $1`, [name]);
}

test('A drain and its end are told with the operator, the request and the node.', async () => {
  for (const command of ['drain', 'undrain'])
    expect(await expectTold(['post', `nodes/left/${command}`], { ...succeeded, command, node: 'left' })).toBe(
      200,
    );
});

test('A node that is forgotten or abandoned is told.', async () => {
  for (const command of ['forget', 'abandon']) {
    await leaveNode('gone');
    expect(await expectTold(['post', `nodes/gone/${command}`], { ...succeeded, command, node: 'gone' })).toBe(
      200,
    );
  }
});

test('A refusal is told with its code and its sentence.', async () => {
  const refused = { ...failed, command: 'abandon', node: 'left', failure: 'conflict' };
  const sentence = "The node 'left' is alive.";
  expect(await expectTold(['post', 'nodes/left/abandon'], { ...refused, sentence })).toBe(409);
});

test('The removal of an orphan is told when it is approved, and when it is refused.', async () => {
  const { name } = await until('it is seen', async () => {
    const { body } = await left.ask('get', '/operator/orphans', { login });
    return (body as { orphans: readonly { readonly name: string }[] }).orphans[0];
  });
  const asked = ['post', 'orphans/remove', { provisioner: 'process', node: 'left', name }] as const;
  const told = { command: 'remove-orphan', provisioner: 'process', node: 'left', name };
  expect(await expectTold(asked, { ...failed, ...told, failure: 'conflict' })).toBe(409);
  await database.pool.query("update orphan_suspects set first_seen_at = first_seen_at - interval '301 s'");
  expect(await expectTold(asked, { ...succeeded, ...told })).toBe(202);
});

test('A command beside units is told once, at whichever broker it was asked for, and without its arguments.', async () => {
  for (const broker of [left, right]) {
    const command = ['sh', '-c', 'echo "$0"; exit 3', 'canary-of-an-argument'];
    const told = {
      ...succeeded,
      command: 'exec',
      instanceId: id,
      unit: 'main',
      program: 'sh',
      argumentCount: 3,
      ended: ['main: 3'],
    };
    const asked = ['post', `instances/${id}/exec`, { command, unit: 'main' }] as const;
    expect(await expectTold(asked, told, broker)).toBe(200);
  }
  const outputs = left.output() + right.output();
  expect(outputs).not.toContain('canary-of-an-argument');
  // What was passed on has the id of the request that asked first there, too.
  const passed = /"requestId":"([^"]+)","protocol":"operator","method":"POST"[^\n]*\/exec"/.exec(
    right.output(),
  );
  expect(left.output()).toContain(`"requestId":"${passed?.[1]}"`);
});

test('A log that is read is told once, at whichever broker it was asked for, also when there is no such unit.', async () => {
  for (const broker of [left, right]) {
    const told = { command: 'log', instanceId: id, lines: 2 };
    expect(await expectTold(['get', `instances/${id}/log?lines=2`], { ...succeeded, ...told }, broker)).toBe(
      200,
    );
    const refused = { ...failed, ...told, unit: 'nobody', failure: 'invalid' };
    expect(await expectTold(['get', `instances/${id}/log?lines=2&unit=nobody`], refused, broker)).toBe(400);
  }
});

test('What names its node, and was not passed on by a broker, is told by that node.', async () => {
  const told = { ...succeeded, command: 'log', instanceId: id };
  expect(await expectTold(['get', `instances/${id}/log?node=left`], told)).toBe(200);
});
