import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const scratch = scratchDirectory('role');
chmodSync(scratch, 0o755);
const source = 'test/support/node-catalog';
for (const file of ['ticker.yaml', 'wanting.yaml']) copyFileSync(join(source, file), join(scratch, file));

const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};
const env = { CATALOG_DIR: scratch, NODE_PORTS: '26200-26299' };

let database: TestDatabase;
let node: WholeBroker;
let guest: WholeBroker;
beforeAll(async () => {
  database = await openTestDatabase();
  node = await startWholeBroker(database, { ...env, NODE_NAME: 'n1', NODE_DIR: join(scratch, 'node') });
  guest = await startWholeBroker(database, { ...env, NODE_ROLE: 'false' });
});
afterAll(async () => {
  await guest.stop();
  await node.stop();
  await database.close();
});

async function namesAt(broker: WholeBroker): Promise<readonly string[]> {
  const { services } = (await broker.ask('get', '/v2/catalog')).body as { services: { name: string }[] };
  return services.map(({ name }) => name);
}

test('A broker that is no node sells and serves what is made on others', async () => {
  expect(await namesAt(guest)).toEqual(['ticker']);
  const path = '/v2/service_instances/by-guest';
  const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
  expect((await guest.ask('put', path, { body })).status).toBe(201);
  const bound = await guest.ask('put', `${path}/service_bindings/b`, { body: ticker });
  expect(bound.status).toBe(201);
  const login = `operator:${operatorPassword}`;
  const about = '/operator/instances/by-guest';
  expect((await guest.ask('get', about, { login })).body).toMatchObject({ node: 'n1', bindings: 1 });
  const ran = await guest.ask('post', `${about}/exec`, { login, body: { command: ['echo', 'hello'] } });
  expect(ran.body).toEqual({ results: [{ unit: 'main', code: 0, output: 'hello\n' }] });
  expect((await guest.ask('post', `${about}/actions/restart`, { login })).status).toBeLessThan(203);
  expect((await guest.ask('delete', path, { query: ticker })).status).toBe(200);
});

test('What a changed catalog needs is looked for before it goes on sale, and brokers without that program hide it', async () => {
  const { headers } = await node.ask('get', '/v2/catalog');
  const text = readFileSync(join(source, 'wanting.yaml'), 'utf8');
  writeFileSync(join(scratch, 'wanting.yaml'), text.replaceAll('a-program-that-nobody-has', 'ls'));
  await until('both nodes are known to the node', async () => (await namesAt(node)).length >= 2);
  const etag = { 'if-none-match': headers['etag'] as string };
  expect((await node.ask('get', '/v2/catalog', { headers: etag })).status).toBe(200);
  await until('both nodes are known to the guest', async () => (await namesAt(guest)).length >= 2);
  expect(node.output()).toContain('"message":"offering on sale","offering":"wanting"');
});

test('Two brokers cannot be the node of one directory, nor two nodes have one name', async () => {
  await expect(
    startWholeBroker(database, { ...env, NODE_NAME: 'n2', NODE_DIR: join(scratch, 'node') }),
  ).rejects.toThrow(
    /^This broker cannot be a node: \S+ cannot be this node's directory\. It is in use by another broker, process \d+\. Where it need not be one, set NODE_ROLE to false\.$/,
  );
  await expect(
    startWholeBroker(database, { ...env, NODE_NAME: 'n1', NODE_DIR: join(scratch, 'other') }),
  ).rejects.toThrow("Another broker is the node 'n1'.");
});

test('A node whose programs could not listen where they are told to refuses to start', async () => {
  await expect(
    startWholeBroker(database, { ...env, NODE_DIR: join(scratch, 'elsewhere'), NODE_HOST: '192.0.2.1' }),
  ).rejects.toThrow(
    'This broker cannot be a node: Cannot listen on NODE_BIND (EADDRNOTAVAIL). It must be an address of this machine, and is NODE_HOST unless it is set. Where it need not be one, set NODE_ROLE to false.',
  );
});

test('Metrics count the nodes and what is on them', async () => {
  let text = '';
  await until('they are counted', async () => {
    text = (await guest.ask('get', '/metrics')).text;
    return text.includes('purveyor_nodes{state="up"} 1\n');
  });
  expect(text).toMatch(/^purveyor_stock_age_seconds [0-9.e-]+$/m);
  expect(text).toContain('purveyor_node_ports_free{node="n1"} 100\n');
  expect(text).toMatch(/^purveyor_units\{status="started"\} 0$/m);
  expect(text).toMatch(/^purveyor_database_connections\{state="used"\} \d+$/m);
  expect(text).toMatch(/^purveyor_operations_oldest_seconds \d/m);
  expect(text).toMatch(/^purveyor_build_info\{version="\d+\.\d+\.\d+",node="v\d/m);
});
