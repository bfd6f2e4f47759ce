// Hooks that were broken when instances were made, and are repaired while these are there.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const scratch = scratchDirectory('repaired');
const catalog = join(scratch, 'catalog');
let database: TestDatabase;
let broker: WholeBroker;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  mkdirSync(join(catalog, 'hooks', 'thing'), { recursive: true });
  for (const name of ['prepare', 'bind']) hook(name, 'true');
  for (const name of ['unbind', 'remove']) hook(name, 'echo broken >&2; exit 1');
  const plans = [{ id: 'thing-small', name: 'small', description: 'One.' }];
  writeFileSync(
    join(catalog, 'thing.json'),
    JSON.stringify({
      id: 'thing',
      name: 'thing',
      description: 'Made by hooks.',
      provisioner: 'command',
      plans,
      hooks: Object.fromEntries(
        ['prepare', 'bind', 'unbind', 'remove'].map((name) => [name, { run: [`./hooks/thing/${name}`] }]),
      ),
      credentials: { name: '{{instance.key}}' },
    }),
  );
  database = await openTestDatabase();
  broker = await startWholeBroker(database, { CATALOG_DIR: catalog, NODE_ROLE: 'true' });
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

function hook(name: string, text: string): void {
  const file = join(catalog, 'hooks', 'thing', name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

const plan = { service_id: 'thing', plan_id: 'thing-small' };

async function ask(method: 'put' | 'delete', path: string): Promise<number> {
  const asked =
    method === 'put' ? { body: { ...plan, organization_guid: 'o', space_guid: 's' } } : { query: plan };
  return (await broker.ask(method, `/v2/service_instances/${path}`, asked)).status;
}

async function listed(query: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const login = `operator:${operatorPassword}`;
  const { body } = await broker.ask('get', '/operator/instances', { query, login });
  return body.instances.map(({ id, drifted }: { id: string; drifted: boolean }) => `${id} ${drifted}`);
}

test('What was made with broken hooks has drifted when they are repaired; it is bound as it was made, and removed by the repaired ones.', async () => {
  expect(await ask('put', 'i1')).toBe(201);
  expect(await ask('put', 'i1/service_bindings/b1')).toBe(201);
  expect(await ask('delete', 'i1/service_bindings/b1')).toBe(500);
  expect(await listed()).toEqual(['i1 false']);
  expect(await listed({ drifted: 'true' })).toEqual([]);
  hook('bind', 'echo of another revision >&2; exit 1');
  for (const name of ['unbind', 'remove']) hook(name, `test -n "$PURVEYOR_INSTANCE"`);
  await until('the catalog is loaded', () =>
    /"message":"catalog loaded"[^\n]*"older":1/.test(broker.output()),
  );
  expect(await ask('put', 'i2')).toBe(201);
  expect(await listed()).toEqual(['i1 true', 'i2 false']);
  expect(await listed({ drifted: 'true' })).toEqual(['i1 true']);
  expect(await ask('put', 'i1/service_bindings/b2')).toBe(201);
  expect(await ask('put', 'i2/service_bindings/b')).toBe(500);
  for (const id of ['b1', 'b2']) expect(await ask('delete', `i1/service_bindings/${id}`)).toBe(200);
  // Nothing of its own was changed by that.
  expect(await ask('put', 'i1/service_bindings/b3')).toBe(201);
  expect(await ask('delete', 'i1/service_bindings/b3')).toBe(200);
  expect(await ask('delete', 'i1')).toBe(200);
  expect(await listed({ drifted: 'true' })).toEqual([]);
});
