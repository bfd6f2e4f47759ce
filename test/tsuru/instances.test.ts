import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasRedis, talksToRedis } from './redis-client.ts';
import { envIn, tsuruCloud, type Answer } from './tsuru-cloud.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** Instances as tsuru sees them: made, looked at, changed, removed. */

const catalogDir = scratchDirectory('tsuru');
// Redis as it is shipped, but nobody starts it again when it is dead.
cpSync('catalog/hooks/redis', join(catalogDir, 'hooks/redis'), { recursive: true });
writeFileSync(
  join(catalogDir, 'redis.yaml'),
  `${readFileSync('catalog/redis.yaml', 'utf8')}\nmonitor: { every: 1s, restart: 0 }\n`,
);
cpSync('catalog/echo.yaml', join(catalogDir, 'echo.yaml'));
cpSync('catalog/hooks/echo', join(catalogDir, 'hooks/echo'), { recursive: true });

const cloud = tsuruCloud({
  CATALOG_DIR: `${catalogDir}:catalog/trial:test/support/catalog`,
});
const { ask, settled, made } = cloud;

type Form = Readonly<Record<string, string | readonly string[]>>;

const create = (offering: string, form: Form) => ask('POST', `${offering}/resources`, { form });
const at = (offering: string, name: string, rest = '') => `${offering}/resources/${name}${rest}`;

async function rowsOf(id: string): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await cloud
    .database()
    .pool.query<Record<string, unknown>>('select * from service_instances where id = $1', [id]);
  return rows;
}

async function operatorSees(id: string): Promise<Record<string, unknown>> {
  const { body } = await (cloud.brokers()[0] as ReturnType<typeof cloud.brokers>[number]).ask(
    'get',
    `/operator/instances/${encodeURIComponent(id)}`,
    { login: `operator:${operatorPassword}` },
  );
  return body as Record<string, unknown>;
}

function infoIn({ text }: Answer): Readonly<Record<string, string>> {
  const pairs = JSON.parse(text) as { label: string; value: string }[];
  for (const pair of pairs) expect(pair).toEqual({ label: expect.any(String), value: expect.any(String) });
  return Object.fromEntries(pairs.map(({ label, value }) => [label, value]));
}

/** What Linux says of a process; undefined when there is none. A zombie is none. */
function commandOf(pid: number): string | undefined {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8') || undefined : undefined;
}

(hasRedis ? describe : describe.skip)('A redis-server of its own (skipped without redis-server)', () => {
  test('T1, T2, T3, T17: it is made, is pending, up, down, and removed without a trace.', async () => {
    const form = { name: 'r1', plan: 'small', team: 't', user: 'u@example.com' };
    expect(await create('redis', form)).toMatchObject({ status: 201, text: '' });
    // Sooner or later than this it may be ready.
    const first = await ask('GET', at('redis', 'r1', '/status'));
    expect([202, 204]).toContain(first.status);
    expect(await settled('redis', 'r1')).toMatchObject({ status: 204, text: '' });

    const [unit] = JSON.parse((await ask('GET', at('redis', 'r1', '/units'))).text) as [Unit];
    expect(unit).toMatchObject({ unit: 'redis', status: 'started' });
    const pid = await pidOf('tsuru.redis.r1');
    expect(commandOf(pid)).toContain('redis-server');

    const bound = await ask('POST', at('redis', 'r1', '/bind-app'), { form: { 'app-name': 'a' } });
    const env = envIn(bound);
    expect(await talksToRedis(env)).toBe(true);

    process.kill(pid, 'SIGKILL');
    // For a moment it is unreachable: its process has ended, and who started it has not heard of that yet.
    await until('redis r1 is down', async () => {
      const { status, text } = await ask('GET', at('redis', 'r1', '/status'));
      return status === 500 && /^redis is error: \w/.test(text);
    });

    expect((await ask('POST', at('redis', 'r1', '/actions/start'))).status).toBeLessThan(300);
    expect(await settled('redis', 'r1')).toMatchObject({ status: 204 });
    expect(await talksToRedis(env)).toBe(true);

    expect(await ask('DELETE', at('redis', 'r1', '/bind-app'), { form: { 'app-name': 'a' } })).toMatchObject({
      status: 200,
    });
    const again = await pidOf('tsuru.redis.r1', pid);
    expect(await ask('DELETE', at('redis', 'r1'))).toMatchObject({ status: 200 });
    expect(commandOf(again)).toBeUndefined();
    expect(await talksToRedis(env)).toBe(false);
    expect(await ask('DELETE', at('redis', 'r1'))).toMatchObject({ status: 404 });
  });

  test('Users may stop, start and restart an instance and read its log, and nothing else.', async () => {
    await made('redis', 'r2');
    expect((await ask('POST', at('redis', 'r2', '/actions/stop'), { form: {} })).status).toBeLessThan(300);
    const stopped = await settled('redis', 'r2');
    expect(stopped).toMatchObject({ status: 500, text: 'redis is stopped: it has been stopped.\n' });
    const bind = () => ask('POST', at('redis', 'r2', '/bind-app'), { form: { 'app-name': 'a' } });
    expect(await bind()).toMatchObject({ status: 412, text: expect.stringMatching(/stopped/) as string });
    await ask('POST', at('redis', 'r2', '/actions/start'));
    expect(await settled('redis', 'r2')).toMatchObject({ status: 204 });
    await ask('POST', at('redis', 'r2', '/actions/restart/'));
    expect(await settled('redis', 'r2')).toMatchObject({ status: 204 });

    const log = await ask('GET', at('redis', 'r2', '/log?lines=1000'));
    expect(log.status).toBe(200);
    expect(log.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(log.text).toContain('Ready to accept connections');
    expect(await ask('GET', at('redis', 'r2', '/log?lines=0'))).toMatchObject({ status: 400 });
    expect(await ask('GET', at('redis', 'r2', '/log?lines=7&unit=nobody'))).toMatchObject({ status: 400 });
    // The operator is told who read what programs wrote, and never what that was.
    const read = { command: 'log', instanceId: 'tsuru.redis.r2', protocol: 'tsuru', principal: 'redis' };
    expect(linesOf('"command":"log"')).toMatchObject([
      { message: 'command succeeded', ...read, lines: 1000, requestId: expect.stringMatching(/./) as string },
      { message: 'command failed', ...read, lines: 7, unit: 'nobody', failure: 'invalid' },
    ]);
    // Of an instance that has ended by itself, as r1 may have, the last line is told.
    const words = linesOf('Ready to accept connections');
    expect(words.filter((line) => JSON.stringify(line).includes('tsuru.redis.r2'))).toEqual([]);
    for (const [method, path] of [
      ['POST', '/actions/explode'],
      ['GET', '/actions/start'],
      ['PUT', '/units'],
      ['POST', '/log'],
      ['GET', '/backup'],
    ] as const) {
      expect(await ask(method, at('redis', 'r2', path))).toMatchObject({ status: 404 });
    }
    expect(await ask('DELETE', at('redis', 'r2'))).toMatchObject({ status: 200 });
  });
});

/** Of the broker's log, those that hold this. */
function linesOf(words: string): readonly object[] {
  const lines = (cloud.brokers()[0]?.output() ?? '').split('\n');
  return lines.filter((line) => line.includes(words)).map((line) => JSON.parse(line) as object);
}

/** Of its process, as the operator sees it; not `old`. */
async function pidOf(id: string, old?: number): Promise<number> {
  return until('its process is seen', async () => {
    const { pid } = ((await operatorSees(id)) as { units: { pid?: number }[] }).units[0] ?? {};
    return pid !== old && pid;
  });
}

interface Unit {
  readonly unit: string;
  readonly status: string;
}

test('T2: as long as it is being made it is pending, and cannot be bound.', async () => {
  expect(await create('trial-timing', { name: 'slow', plan: 'slow' })).toMatchObject({ status: 201 });
  expect(await ask('GET', at('trial-timing', 'slow', '/status'))).toMatchObject({ status: 202 });
  const form = { 'unit-host': '10.0.0.1', 'app-host': 'app1' };
  for (const path of ['', '/bind', '/bind-app']) {
    const answer = await ask('POST', at('trial-timing', 'slow', path), { form });
    expect(answer.status).toBe(412);
    expect(answer.text).toMatch(/not ready/);
  }
  expect(await ask('POST', at('trial-timing', 'none', '/bind'), { form })).toMatchObject({ status: 404 });
  expect(await settled('trial-timing', 'slow')).toMatchObject({ status: 204, text: '' });
  expect(await ask('DELETE', at('trial-timing', 'slow'))).toMatchObject({ status: 200 });
});

test('T12: the plans are those of the OSB catalog, and the information are texts without a secret.', async () => {
  const broker = cloud.brokers()[0];
  const catalog = (await broker?.ask('get', '/v2/catalog'))?.body as { services: Service[] } | undefined;
  expect(catalog?.services.length).toBeGreaterThan(5);
  for (const { name, plans } of catalog?.services ?? []) {
    const told = JSON.parse((await ask('GET', `${name}/resources/plans`)).text) as unknown;
    expect(told).toEqual(plans.map((plan) => ({ name: plan.name, description: plan.description })));
  }
  await made('echo', 'e1', { description: 'for the blog' });
  const bound = await ask('POST', at('echo', 'e1', '/bind-app'), { form: { 'app-name': 'blog' } });
  const told = await ask('GET', at('echo', 'e1'));
  expect(infoIn(told)).toMatchObject({ Plan: 'large', 'Bound to': 'blog', Description: 'for the blog' });
  expect(told.text).not.toContain(envIn(bound)['ECHO_TOKEN']);
  expect(told.text).not.toContain('token');
  expect(await ask('GET', at('echo', 'e2'))).toMatchObject({ status: 404 });
  expect(await ask('GET', at('echo', 'e2', '/status'))).toMatchObject({ status: 404 });
});

interface Service {
  readonly name: string;
  readonly plans: readonly { name: string; description: string }[];
}

test('T13: the same create twice, by its event, is one instance; with other values it is refused.', async () => {
  const form = { name: 'twice', plan: 'sound', team: 't', eventid: 'e' };
  expect(await create('trial-failing', form)).toMatchObject({ status: 201 });
  expect(await create('trial-failing', form)).toMatchObject({ status: 201 });
  expect(await create('trial-failing', { ...form, team: 'other' })).toMatchObject({ status: 409 });
  expect(await create('trial-failing', { ...form, plan: 'update' })).toMatchObject({ status: 409 });
  expect(await create('trial-failing', { ...form, 'parameters.size': '2' })).toMatchObject({ status: 409 });
  expect(await rowsOf('tsuru.trial-failing.twice')).toHaveLength(1);
  const same = { name: 'at-once', eventid: 'f' };
  const many = await Promise.all(Array.from({ length: 10 }, () => create('echo', same)));
  expect(many.map(({ status }) => status)).toEqual(many.map(() => 201));
  expect(await rowsOf('tsuru.echo.at-once')).toHaveLength(1);
});

test('Without a plan an instance gets the only one, or the first that is free; else one must be named.', async () => {
  await made('echo', 'only');
  expect(infoIn(await ask('GET', at('echo', 'only')))).toMatchObject({ Plan: 'large' });
  await made('moments', 'free');
  expect(infoIn(await ask('GET', at('moments', 'free')))).toMatchObject({ Plan: 'brief' });
});

test.each<[string, string, Form, RegExp]>([
  ['an unknown plan', 'trial-failing', { name: 'wrong', plan: 'golden' }, /golden.*sound/],
  [
    'a parameter out of bounds',
    'trial-failing',
    { name: 'wrong', plan: 'sound', 'parameters.size': '11' },
    /size/,
  ],
  ['a parameter that is no number', 'trial-failing', { name: 'wrong', 'parameters.size': 'x' }, /size/],
  ['an unknown parameter', 'trial-failing', { name: 'wrong', 'parameters.colour': 'red' }, /colour/],
  [
    'a parameter that has members and is a text',
    'echo',
    { name: 'wrong', 'parameters.a': '1', 'parameters.a.b': '2' },
    /parameters\.a/,
  ],
  ['no name', 'echo', { team: 't' }, /name/],
  ['a name of one letter', 'echo', { name: 'x' }, /letters/],
  ['a name with a slash', 'echo', { name: 'a/b' }, /letters/],
  ['a name that cannot be kept', 'echo', { name: 'wr\0ng' }, /kept/],
  ['the name of a path', 'echo', { name: 'plans' }, /'plans'/],
])('T14: it refuses %s with a sentence and makes nothing.', async (_what, offering, form, sentence) => {
  const before = (await cloud.database().pool.query('select id from service_instances order by 1')).rows;
  const answer = await create(offering, form);
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(sentence);
  expect((await cloud.database().pool.query('select id from service_instances order by 1')).rows).toEqual(
    before,
  );
});

test('An unknown service is not there.', async () => {
  expect(await create('nothing', { name: 'any' })).toMatchObject({ status: 404 });
  expect(await ask('GET', 'nothing/resources/plans')).toMatchObject({ status: 404 });
  expect(await ask('GET', 'nothing/manifest.yaml')).toMatchObject({ status: 404 });
});

test('Text in a form becomes what the schema asks for.', async () => {
  expect(await create('trial-failing', { name: 'sized', 'parameters.size': '7' })).toMatchObject({
    status: 201,
  });
  expect(
    await create('trial-schemas', { name: 'share', plan: 'draft-04', 'parameters.share': '0.5' }),
  ).toMatchObject({ status: 201 });
  const listed = {
    name: 'zones',
    plan: 'draft-06',
    eventid: 'e',
    'parameters.zones.0': 'a',
    'parameters.zones.1': 'b',
  };
  expect(await create('trial-schemas', listed)).toMatchObject({ status: 201 });
  const json = { name: 'zones', plan: 'draft-06', eventID: 'e', parameters: { zones: ['a', 'b'] } };
  expect(await ask('POST', 'trial-schemas/resources', { json })).toMatchObject({ status: 201 });
});

test('A create that fails at once leaves nothing, and its name is free.', async () => {
  const answer = await create('trial-failing', { name: 'again', plan: 'provision' });
  expect(answer).toMatchObject({ status: 500, text: 'There is no room for this trial.\n' });
  expect(await rowsOf('tsuru.trial-failing.again')).toEqual([]);
  expect(await create('trial-failing', { name: 'again', plan: 'sound' })).toMatchObject({ status: 201 });
});

test('A create that fails later is down with the reason; it can be removed, or its name be taken again.', async () => {
  for (const name of ['late1', 'late2']) {
    expect(await create('trial-failing', { name, plan: 'provision-late' })).toMatchObject({ status: 201 });
  }
  for (const name of ['late1', 'late2']) {
    const down = await settled('trial-failing', name);
    expect(down).toMatchObject({ status: 500, text: 'There was no room for this trial in the end.\n' });
  }
  const form = { 'app-name': 'a' };
  expect(await ask('POST', at('trial-failing', 'late1', '/bind-app'), { form })).toMatchObject({
    status: 412,
  });
  expect(await ask('DELETE', at('trial-failing', 'late1'))).toMatchObject({ status: 200 });
  expect(await ask('DELETE', at('trial-failing', 'late1'))).toMatchObject({ status: 404 });
  await made('trial-failing', 'late2', { plan: 'sound' });
});

test('What only works asynchronously is waited for.', async () => {
  await made('trial-timing', 'waited', { plan: 'async-required' });
  const form = { 'app-name': 'a' };
  const bound = await ask('POST', at('trial-timing', 'waited', '/bind-app'), { form });
  expect(bound.status).toBe(201);
  expect(Object.keys(envIn(bound)).length).toBeGreaterThan(0);
  const update = { plan: 'async-required', 'parameters.size': '3' };
  expect(await ask('PUT', at('trial-timing', 'waited'), { form: update })).toMatchObject({ status: 200 });
  expect(await ask('DELETE', at('trial-timing', 'waited', '/bind-app'), { form })).toMatchObject({
    status: 200,
  });
  expect(await ask('DELETE', at('trial-timing', 'waited'))).toMatchObject({ status: 200 });
  expect(await rowsOf('tsuru.trial-timing.waited')).toEqual([]);
});

test('An update changes team, description, tags, plan and parameters, and tells why not.', async () => {
  await made('trial-failing', 'changing', { plan: 'sound', team: 'one', description: 'old' });
  const put = (form: Form) => ask('PUT', at('trial-failing', 'changing'), { form });
  expect(await put({ description: 'new', team: 'two', tags: ['a', 'b'] })).toMatchObject({ status: 200 });
  const [row] = await rowsOf('tsuru.trial-failing.changing');
  expect(row?.['context']).toMatchObject({
    platform: 'tsuru',
    instance_name: 'changing',
    team: 'two',
    description: 'new',
    tags: ['a', 'b'],
  });
  expect(await put({ plan: 'bind', 'parameters.size': '5' })).toMatchObject({ status: 200 });
  expect(infoIn(await ask('GET', at('trial-failing', 'changing')))).toMatchObject({ Plan: 'bind' });
  expect(await put({ plan: 'nothing' })).toMatchObject({ status: 400 });
  expect(await put({ plan: 'update' })).toMatchObject({
    status: 500,
    text: 'The trial could not be changed just now.\n',
  });
  expect(await ask('PUT', at('trial-failing', 'none'), { form: {} })).toMatchObject({ status: 404 });
  await made('echo', 'fixed');
  expect(await ask('PUT', at('echo', 'fixed'), { form: { description: 'x' } })).toMatchObject({
    status: 200,
  });
});

test('T15: a slash at the end changes nothing.', async () => {
  expect(await ask('POST', 'echo/resources/', { form: { name: 'slash' } })).toMatchObject({ status: 201 });
  expect(await ask('GET', at('echo', 'slash', '/status/'))).toMatchObject({ status: 204 });
  expect(await ask('GET', 'echo/resources/plans/')).toMatchObject({ status: 200 });
  const form = { 'unit-host': '10.0.0.1', 'app-host': 'app1' };
  const bound = await ask('POST', at('echo', 'slash', '/'), { form });
  expect(bound.status).toBe(201);
  expect(await ask('POST', at('echo', 'slash'), { form })).toMatchObject({ status: 201, text: bound.text });
  for (const path of ['/hostname/10.0.0.1/', '/hostname/10.0.0.1', '/']) {
    expect(await ask('DELETE', at('echo', 'slash', path))).toMatchObject({ status: 200 });
  }
  // As the oldest clients end their addresses.
  expect(await ask('GET', 'echo/resources/plans?')).toMatchObject({ status: 200 });
});

test('T17: a failed removal says so, and works the next time.', async () => {
  await made('trial-failing', 'sticky', { plan: 'deprovision' });
  const refused = await ask('DELETE', at('trial-failing', 'sticky'));
  expect(refused).toMatchObject({ status: 500, text: 'The trial is still in use.\n' });
  expect(await ask('DELETE', at('trial-failing', 'sticky'))).toMatchObject({ status: 200 });
  expect(await ask('DELETE', at('trial-failing', 'sticky'))).toMatchObject({ status: 404 });
});

test('T18: to the operator it is an instance like one that was made by OSB.', async () => {
  await made('trial-failing', 'seen', { plan: 'sound' });
  const broker = cloud.brokers()[0];
  const tsuru = await operatorSees('tsuru.trial-failing.seen');
  const ids = { service_id: tsuru['offering_id'], plan_id: tsuru['plan_id'] };
  const body = { ...ids, organization_guid: 'o', space_guid: 's' };
  await broker?.ask('put', '/v2/service_instances/osb-one', { body });
  const osb = await operatorSees('osb-one');
  expect(tsuru).toMatchObject({ name: 'seen', platform: 'tsuru' });
  const whose = ['name', 'platform', 'organization_guid', 'space_guid'];
  const own = ['id', 'key', 'created_at', 'updated_at', 'operations', ...whose];
  const alike = (seen: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(seen).filter(([name]) => !own.includes(name)));
  expect(JSON.stringify(alike(tsuru)).replaceAll(/\d{4}-[\d:.T-]+Z/g, '')).toEqual(
    JSON.stringify(alike(osb)).replaceAll(/\d{4}-[\d:.T-]+Z/g, ''),
  );
  const [row, other] = [await rowsOf('tsuru.trial-failing.seen'), await rowsOf('osb-one')];
  expect(Object.keys(row[0] ?? {})).toEqual(Object.keys(other[0] ?? {}));
});
