import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram, type Ended } from '../support/run-program.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};

let database: TestDatabase;
let broker: WholeBroker;
beforeAll(async () => {
  database = await openTestDatabase();
  broker = await startWholeBroker(database, {
    CATALOG_DIR: 'test/support/node-catalog',
    NODE_NAME: 'n1',
    NODE_PORTS: '26100-26199',
  });
  const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
  expect((await broker.ask('put', '/v2/service_instances/i1', { body })).status).toBe(201);
});
afterAll(async () => {
  const { status } = await broker.ask('delete', '/v2/service_instances/i1', { query: ticker });
  expect(status).toBe(200);
  await broker.stop();
  await database.close();
});

/** Runs a command with the variables of the broker. */
function run(words: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { port } = new URL(broker.url);
  return runProgram(words.split(' '), { PORT: port, OPERATOR_PASSWORD: operatorPassword, ...env }).ended;
}

async function shown(words: string): Promise<string> {
  const { code, output, errors } = await run(words);
  expect({ words, code, errors }).toEqual({ words, code: 0, errors: '' });
  return output;
}

test('Nodes, offerings, instances and orphans are shown as tables', async () => {
  expect(await shown('nodes')).toMatch(
    /^NODE +STATE +HOST +INSTANCES +USED +CAPACITY +PORTS FREE +ISOLATION +ACCOUNTS +LAST HEARD OF\nn1 +up +127\.0\.0\.1 +1 +1 +100 +100 +\S+ +(\d+-\d+|the broker's own \(shared\)) +\S+\n$/,
  );
  expect(await shown('offerings')).toMatch(
    /^ticker +\S+ +yes +-\nwanting +\S+ +no +The executable a-program-that-nobody-has was not found/m,
  );
  expect(await shown('instances')).toMatch(/^i1 +ticker +one +ready +started +n1 +0\n$/m);
  expect(await shown('instances --node n2')).toBe('There is nothing to show.\n');
  expect(await shown('orphans')).toBe('There is nothing to show.\n');
});

test('Authorities are made before their time, and shown with what they do.', async () => {
  expect(await shown('authorities')).toBe('There is nothing to show.\n');
  expect(await shown('authorities renew --signs-after 0s')).toMatch(/^Authority 1 signs from now on/);
  expect(await shown('authorities renew')).toMatch(
    /^Authority 2 is told to new bindings, and signs from \S+Z/,
  );
  expect(await shown('authorities renew --signs-after 1h')).toMatch(/^Authority 2 is told/);
  expect(await shown('authorities')).toMatch(
    /^AUTHORITY +SIGNS +BINDINGS ARE TOLD +FROM +UNTIL\n1 +yes +yes .*\n2 +from \S+Z +yes .*\n$/,
  );
  expect(JSON.parse(await shown('authorities --json'))).toMatchObject([{ generation: 1 }, { generation: 2 }]);
  const { code, errors } = await run('authorities renew --authority 4');
  expect([code, errors]).toEqual([
    1,
    expect.stringContaining('The authority that can be made to sign is 2.'),
  ]);
  expect((await run('authorities renew --signs-after soon')).errors).toContain(
    '--signs-after must be a duration',
  );
});

test('A node is shown with what it has, and with what keeps which limits', async () => {
  const page = await shown('nodes show n1');
  expect(page).toMatch(
    /^node +n1\nstate +up\nhost +127\.0\.0\.1\nurl +http:\S+\ndirectory +\/\S+\ninstances +1\n/,
  );
  expect(page).toMatch(/^isolation +\S+\nlimits +memory, .*files.* by rlimits; disk by rlimits/m);
});

test('An instance is shown with its units and what was done with it, step by step', async () => {
  const page = await shown('instances show i1');
  expect(page).toMatch(/^offering +ticker, plan one\nstate +ready\nstatus +started: \S.*\n/m);
  expect(page).toMatch(process.getuid?.() === 0 ? /^account +21\d{8}$/m : /^account +shared$/m);
  expect(page).toMatch(/^UNIT +STATUS +REASON +SINCE +PID +ADDRESS\nmain +started +\S.* +\d+ +-\n/m);
  expect(page).toMatch(/provision succeeded\n( {2}\S+ {2}\w+ {2}\d+ ms\n){5} {2}\S+ {2}check_up {2}\d+ ms\n/);
});

test('With --json the commands that show something give what the broker says, as JSON', async () => {
  const parsed = async (words: string): Promise<unknown> => JSON.parse(await shown(`${words} --json`));
  expect(await parsed('nodes')).toMatchObject([{ name: 'n1', state: 'up' }]);
  expect(await parsed('nodes show n1')).toMatchObject({ name: 'n1', instances: 1 });
  expect(await parsed('offerings')).toMatchObject([
    { name: 'ticker', on_sale: true },
    { name: 'wanting', on_sale: false },
  ]);
  expect(await parsed('instances')).toMatchObject([{ id: 'i1', offering: 'ticker', node: 'n1' }]);
  expect(await parsed('instances show i1')).toMatchObject({ id: 'i1', units: [{ unit: 'main' }] });
  expect(await parsed('instances log i1 --lines 1')).toMatchObject([{ unit: 'main' }]);
  expect(await parsed('operations --kind provision')).toMatchObject([{ instance_id: 'i1' }]);
  expect(await parsed('orphans')).toEqual([]);
  expect(await parsed('bindings')).toEqual([]);
  expect(await parsed('quotas')).toEqual([]);
});

test('With --json the commands that do something tell what came of it', async () => {
  const parsed = async (words: string): Promise<unknown> => JSON.parse(await shown(`${words} --json`));
  for (const verb of ['stop', 'start']) {
    // Nothing, where it was done before the broker answered.
    const { operation } = (await parsed(`instances ${verb} i1`)) as { operation?: { state: string } };
    expect(operation?.state ?? 'succeeded').toBe('succeeded');
  }
  expect(await parsed('nodes drain n1')).toEqual({});
  expect(await parsed('nodes undrain n1')).toEqual({});
  const [{ id }] = (await parsed('operations --kind provision')) as [{ id: string }];
  expect(await parsed(`operations show ${id}`)).toMatchObject({ kind: 'provision', instance_id: 'i1' });
  expect(await parsed('instances missing')).toEqual({ missing: [], unseen: [] });
});

test('A node is drained and undrained', async () => {
  expect(await shown('nodes drain n1')).toBe('The node n1 takes no new instances.\n');
  expect(await shown('nodes')).toContain('draining');
  expect(await shown('nodes undrain n1')).toBe('The node n1 takes new instances again.\n');
  expect(await run('nodes forget n1')).toMatchObject({
    code: 1,
    errors: "purveyor: The node 'n1' is alive.\n",
  });
});

test('An instance is stopped, started and restarted', async () => {
  for (const verb of ['stop', 'start', 'restart'])
    expect(await shown(`instances ${verb} i1`)).toBe(`${verb} succeeded\n`);
  expect(await shown('instances restart i1 main')).toBe('restart succeeded\n');
});

test('What is to be done on a node that is away is waited for, and why is told once', async () => {
  const directory = scratchDirectory('away');
  chmodSync(directory, 0o755);
  const env = {
    CATALOG_DIR: 'test/support/node-catalog',
    NODE_NAME: 'n2',
    NODE_DIR: join(directory, 'node'),
    NODE_CAPACITY: '1000',
    NODE_PORTS: '26200-26299',
  };
  let away = await startWholeBroker(database, env);
  try {
    const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
    expect((await away.ask('put', '/v2/service_instances/i2', { body })).status).toBe(201);
    await away.stop();
    expect(await shown('nodes')).toMatch(/^n2 +down /m);
    const { port } = new URL(broker.url);
    const access = { PORT: port, OPERATOR_PASSWORD: operatorPassword };
    const { child, ended } = runProgram(['instances', 'restart', 'i2'], access);
    const said = new Promise((resolve) => child.stderr?.once('data', resolve));
    expect(await Promise.race([said, ended])).toMatch(
      /^Waiting: its node n2 has not been heard of since \S+Z\. Ctrl-C ends the waiting; the restart is carried out /,
    );
    away = await startWholeBroker(database, env);
    const { code, output, errors } = await ended;
    expect({ code, output }).toEqual({ code: 0, output: 'restart succeeded\n' });
    expect(errors.split('\n')).toHaveLength(2);
    expect((await away.ask('delete', '/v2/service_instances/i2', { query: ticker })).status).toBe(200);
  } finally {
    await away.stop();
  }
});

test('A command is run beside a unit: its output and its exit code are those of exec', async () => {
  expect(await shown('instances exec i1 echo hello')).toBe('hello\n');
  expect(await run('instances exec i1 --unit main -- sh -c exit\t7')).toMatchObject({ code: 7 });
  expect(await run('instances exec i1 --timeout 0.2 sleep 60')).toEqual({
    code: 1,
    output: '',
    errors: 'main: the command was ended at its time limit of 0.2 s.\n',
  });
  expect((await run('instances exec i1 --timeout 200ms sleep 60')).errors).toContain('limit of 0.2 s');
  expect(await run('instances exec i1 -- sh -c kill\t-9\t$$')).toEqual({
    code: 1,
    output: '',
    errors: 'main: the command was ended by a signal, or since it wrote too much.\n',
  });
});

test('A log is shown', async () => {
  expect(await shown('instances log i1 --lines 2')).toMatch(/^begun\npassword=/);
});

test.each([
  ['nodes drain n9', "There is no node 'n9'."],
  ['nodes show n9', "There is no node 'n9'."],
  ['instances show i9', 'There is no service instance with this id.'],
  ['orphans remove p1', "There is no orphan 'p1'."],
])('%s: what is refused is told in the words of the broker', async (words, sentence) => {
  expect(await run(words)).toEqual({ code: 1, output: '', errors: `purveyor: ${sentence}\n` });
});

test('Who cannot reach the broker, or is not known there, is told what to look at', async () => {
  expect((await run('nodes', { PORT: '9' })).errors).toMatch(
    /^purveyor: The broker cannot be reached where PUBLIC_URL, or else HOST and PORT, say \(.*\)\. Does it run there\?\n$/,
  );
  expect((await run('nodes', { PORT: '0' })).errors).toMatch(/^purveyor: With PORT 0 nobody knows/);
  const { code, errors } = await run('nodes', { OPERATOR_PASSWORD: 'canary' });
  expect(code).toBe(1);
  expect(errors).toMatch(/^purveyor: The broker does not know this operator: look at OPERATOR_USERNAME/);
  expect(errors).not.toContain('canary');
});

test('The password that the first start made is found in DATA_DIR', async () => {
  const directory = scratchDirectory('operator');
  const env = { OPERATOR_PASSWORD: '', DATA_DIR: directory };
  expect((await run('nodes', env)).errors).toMatch(
    /^purveyor: The operator's password is not known: OPERATOR_PASSWORD is not set, and \S+ cannot be read/,
  );
  writeFileSync(join(directory, 'operator-password'), `${operatorPassword}\n`);
  expect(await run('nodes', env)).toMatchObject({ code: 0 });
});
