import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, type Running } from '../support/run-program.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

/** What one broker knows, brought to another machine: other directories, another embedded database. */

const { scratch, start } = startedBrokers();

const of = { organization_guid: 'o', space_guid: 's' };
const echo = { service_id: 'echo_service', plan_id: 'big_0001', ...of };

/** The environment of a broker in a machine's worth of directories. */
function machine(name: string): Readonly<Record<string, string>> {
  const home = join(scratch, name);
  mkdirSync(home);
  chmodSync(home, 0o755);
  return {
    DATA_DIR: join(home, 'data'),
    NODE_DIR: join(home, 'node'),
    NODE_NAME: name,
    BACKUP_DIR: join(home, 'backups'),
    BROKER_PASSWORD: 'p',
    OPERATOR_PASSWORD: 'o',
    ALLOW_UNISOLATED: 'true',
  };
}

async function asking(running: Running) {
  const url = await addressOf(running);
  async function ask(login: string, path: string, asked: Parameters<typeof call>[2] = {}) {
    const response = await call(login, `${url}${path}`, asked);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  return {
    osb: (path: string, asked?: Parameters<typeof call>[2]) => ask('broker:p', `/v2${path}`, asked),
    operator: (path: string, asked?: Parameters<typeof call>[2]) =>
      ask('operator:o', `/operator${path}`, asked),
  };
}

type Asking = Awaited<ReturnType<typeof asking>>;

async function filesystem({ osb }: Asking): Promise<typeof echo> {
  const { services } = (await osb('/catalog')).body as {
    services: { id: string; name: string; plans: { id: string }[] }[];
  };
  const found = services.find(({ name }) => name === 'filesystem');
  return { service_id: found?.id ?? '', plan_id: found?.plans[0]?.id ?? '', ...of };
}

const idsIn = (list: unknown) => (list as { id: string }[]).map(({ id }) => id).toSorted();

test('A broker on another machine knows what the first one knew, and what was lost there comes back from backups', async () => {
  const env = machine('first');
  const first = await asking(start(env));
  const files = await filesystem(first);
  for (const [id, body] of [
    ['e1', echo],
    ['f1', files],
  ] as const)
    expect((await first.osb(`/service_instances/${id}`, { method: 'PUT', body })).status).toBe(201);
  const bound = await first.osb('/service_instances/e1/service_bindings/b1', { method: 'PUT', body: echo });
  const folder = await first.osb('/service_instances/f1/service_bindings/b1', { method: 'PUT', body: files });
  const path = (folder.body['credentials'] as { path: string }).path;
  writeFileSync(join(path, 'note'), 'kept');
  expect((await first.operator('/instances/f1/backups', { method: 'POST', body: {} })).status).toBe(200);

  // While it runs.
  const file = join(scratch, 'state');
  const saved = await runProgram(['state', 'save', file, '--json'], env).ended;
  expect(saved).toMatchObject({ code: 0 });
  expect(JSON.parse(saved.output)).toMatchObject({ file, keys: ['1'] });
  const told = async ({ operator }: Asking) => ({
    operations: (await operator('/operations')).body['operations'],
    audit: ((await operator('/audit')).body['entries'] as { verb: string }[]).filter(
      ({ verb }) => !['reload', 'load-state'].includes(verb),
    ),
    backups: (await operator('/backups')).body['backups'],
    instances: idsIn((await operator('/instances')).body['instances']),
  });
  const before = await told(first);
  expect(before.instances).toEqual(['e1', 'f1']);

  const elsewhere = machine('second');
  const early = await runProgram(['state', 'load', file], elsewhere).ended;
  expect([early.code, early.errors]).toEqual([
    1,
    expect.stringContaining('There are no encryption keys here'),
  ]);
  mkdirSync(`${elsewhere['DATA_DIR']}`);
  cpSync(join(`${env['DATA_DIR']}`, 'encryption-keys'), join(`${elsewhere['DATA_DIR']}`, 'encryption-keys'));
  cpSync(`${env['BACKUP_DIR']}`, `${elsewhere['BACKUP_DIR']}`, { recursive: true });
  const loaded = await runProgram(['state', 'load', file], elsewhere).ended;
  expect([loaded.code, loaded.output]).toEqual([
    0,
    expect.stringMatching(/^Loaded \d+ records, as they were at /),
  ]);

  const running = start(elsewhere);
  const second = await asking(running);
  expect(await told(second)).toEqual(before);
  const { metadata: _metadata, ...answered } = bound.body;
  const fetched = await second.osb('/service_instances/e1/service_bindings/b1');
  expect(fetched.body).toMatchObject(answered);
  expect((await second.osb('/service_instances/e1', { method: 'PUT', body: echo })).status).toBe(200);
  const trail = (await second.operator('/audit?verb=load-state')).body['entries'];
  expect(trail).toEqual([expect.objectContaining({ protocol: 'cli', outcome: 'succeeded' })]);

  expect((await second.osb('/service_instances/f2', { method: 'PUT', body: files })).status).toBe(201);
  const [backup] = before.backups as [{ id: string }];
  const restored = await second.operator(`/backups/${backup.id}/restore`, {
    method: 'POST',
    body: { into: 'f2' },
  });
  expect(restored.status).toBe(200);
  const again = await second.osb('/service_instances/f2/service_bindings/b1', { method: 'PUT', body: files });
  const there = (again.body['credentials'] as { path: string }).path;
  expect([readdirSync(there), readFileSync(join(there, 'note'), 'utf8')]).toEqual([['note'], 'kept']);
  expect((await stop(running)).code).toBe(0);
}, 240_000);
