// A broker that is killed in the middle of what its offering declares, and the one that comes after it.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { call } from '../support/started-brokers.ts';
import { until } from '../support/until.ts';
import { type BrokerProcess, startBrokerProcess } from './broker-process.ts';

const scratch = scratchDirectory('action');
const nodeDir = join(scratch, 'node');
const password = 'the-operator-of-the-test';
const brokers: BrokerProcess[] = [];
let database: TestDatabase;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  mkdirSync(join(scratch, 'catalog', 'hooks', 'thing'), { recursive: true });
  const hook = join(scratch, 'catalog', 'hooks', 'thing', 'action');
  writeFileSync(
    hook,
    '#!/bin/sh\necho $$ >>begun\nwhile [ ! -e go ]; do sleep 0.1; done\necho "$WORD" >>done\n',
  );
  chmodSync(hook, 0o755);
  const offering = {
    id: 'thing',
    name: 'thing',
    description: 'Made by hooks.',
    provisioner: 'command',
    plans: [{ id: 'thing-small', name: 'small', description: 'One.' }],
    actions: { mark: { description: 'It is marked.', parameters: { word: { type: 'string' } } } },
    hooks: { action: { run: ['./hooks/thing/action'], env: { WORD: '{{asked.parameters.word}}' } } },
    credentials: { name: '{{instance.key}}' },
  };
  writeFileSync(join(scratch, 'catalog', 'thing.json'), JSON.stringify(offering));
  database = await openTestDatabase();
});
afterAll(async () => {
  for (const { signal, ended } of brokers) {
    signal('SIGKILL');
    await ended;
  }
  await database.close();
});

/** A broker that is the node. */
async function start(name: string): Promise<BrokerProcess> {
  const shared = { database, dataDir: join(scratch, name), catalogDir: join(scratch, 'catalog') };
  const node = { NODE_ROLE: 'true', NODE_NAME: 'here', NODE_DIR: nodeDir };
  const broker = await startBrokerProcess(name, shared, {
    ...node,
    LEASE: '4s',
    OPERATOR_PASSWORD: password,
  });
  brokers.push(broker);
  return broker;
}

async function operate({ address }: BrokerProcess, method: string, path: string, body?: object) {
  const answer = await call(`operator:${password}`, `${address}/operator/${path}`, {
    method,
    ...(body && { body }),
  });
  return (await answer.json()) as {
    readonly operation: { readonly id: string };
    readonly operations: readonly {
      readonly state: string;
      readonly timeline: readonly { readonly step: string }[];
    }[];
  };
}

/** The lines of a file of the instance. */
function linesOf(file: string): readonly string[] {
  const [key = ''] = readdirSync(join(nodeDir, 'command'));
  const path = join(nodeDir, 'command', key, 'data', file);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

test('A broker is killed in the middle of an action: the next one ends what it has left running, and does it with the same parameters.', async () => {
  const first = await start('first');
  const made = await first.ask('PUT', '/v2/service_instances/i1?accepts_incomplete=true', {
    service_id: 'thing',
    plan_id: 'thing-small',
    organization_guid: 'o',
    space_guid: 's',
  });
  expect([201, 202]).toContain(made.status);
  await until(
    'it is made',
    async () =>
      (await first.ask('GET', '/v2/service_instances/i1/last_operation')).body['state'] === 'succeeded',
  );
  const body = { parameters: { word: 'a-word-of-its-own' } };
  const { operation } = await operate(first, 'POST', 'instances/i1/actions/mark', body);
  await until('the hook runs', () => linesOf('begun').length === 1);
  first.signal('SIGKILL');
  await first.ended;
  const second = await start('second');
  await until('the hook runs again', () => linesOf('begun').length === 2, 60_000);
  expect(isThere(Number(linesOf('begun')[0]))).toBe(false);
  const [key = ''] = readdirSync(join(nodeDir, 'command'));
  writeFileSync(join(nodeDir, 'command', key, 'data', 'go'), '');
  await until('it is done', async () => {
    const { operations } = await operate(second, 'GET', 'instances/i1');
    return operations[0]?.state === 'succeeded' && operations[0];
  });
  expect(linesOf('done')).toEqual(['a-word-of-its-own']);
  const { operations } = await operate(second, 'GET', 'instances/i1');
  expect(operations[0]).toMatchObject({
    id: operation.id,
    action: 'mark',
    attempt: 2,
    timeline: [{ step: 'mark' }],
  });
  expect(JSON.stringify([first.lines(), second.lines()])).not.toContain('a-word-of-its-own');
});
