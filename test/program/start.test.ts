import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listen, openGate } from '../support/database-gate.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

const { scratch, start, npmStart } = startedBrokers();

/** What a test has opened, to be closed after the brokers have ended. */
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** What brokers on an external database must be given. */
const shared = { BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}` };

test('The first start prints a banner with a line that works when it is pasted', async () => {
  const running = start({ NODE_ENV: 'production' });
  const [, login = '', version = '', url = ''] = await running.shows(
    /^ {2}curl -u (\S+) -H 'X-Broker-API-Version: ([\d.]+)' (http:\S+)$/m,
  );
  expect(version).toBe('2.17');
  const answer = await call(login, url);
  expect(answer.status).toBe(200);
  const { services } = (await answer.json()) as { services: readonly { name: string }[] };
  expect(services.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'invert']));
  expect(running.output()).toMatch(/catalog +\d+ services, \d+ plans\n(?:.*\n)*? +echo: large\n/);

  const { code, errors } = await stop(running);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
});

/** The program takes its output for a terminal. */
const onTerminal = { NODE_OPTIONS: '--import=data:text/javascript,process.stdout.isTTY=true' };

test('On a terminal the first line says that it works, before anything is looked at', async () => {
  const running = start(onTerminal);
  await addressOf(running);
  expect((await stop(running)).output).toMatch(/^Starting \.\.\.\n(?!.*Starting \.\.\.)/s);

  const refused = await start({ ...onTerminal, DATA_DIR: '/proc/nowhere' }).ended;
  expect(refused).toMatchObject({ code: 1, output: 'Starting ...\n' });
});

test.each([
  ['into a pipe', {}],
  ['for machines', { ...onTerminal, LOG_FORMAT: 'json' }],
])('Where output goes %s, no line says that it is starting', async (_where, env) => {
  const running = start(env);
  await running.shows(/ready|\/v2\/catalog\n/);
  expect((await stop(running)).output).not.toContain('Starting ...');
});

test('A restart keeps the password, which only its owner may read, and the state', async () => {
  const first = start();
  const address = await addressOf(first);
  const [login = ''] = /(?<=curl -u )\S+/.exec(first.output()) ?? [];
  const where = { organization_guid: 'o', space_guid: 's' };
  const body = { service_id: 'echo_service', plan_id: 'big_0001', ...where };
  const put = (base: string) => call(login, `${base}/v2/service_instances/kept`, { method: 'PUT', body });
  expect((await put(address)).status).toBe(201);
  await stop(first);

  const second = start();
  expect((await put(await addressOf(second))).status).toBe(200);
  expect(second.output()).toContain(`curl -u ${login} `);
  expect(statSync(join(scratch, 'data', 'broker-password')).mode & 0o777).toBe(0o600);
  await stop(second);
});

test('A start that finds the offering files as the last one did loads nothing that reads YAML', async () => {
  const told = `import{registerHooks}from'node:module';registerHooks({resolve(name,from,next){
    if(name==='yaml')console.error('loaded by '+from.parentURL);return next(name,from)}})`;
  const env = {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(told)}`,
    DATA_DIR: join(scratch, 'read-once'),
  };
  const errorsOf = async () => {
    const running = start(env);
    const [banner] = await running.shows(/catalog +\d+ services, \d+ plans\n[^]*\/v2\/catalog\n/);
    expect(banner).toContain('echo: large');
    return (await stop(running)).errors;
  };
  expect(await errorsOf()).toMatch(/^loaded by \S+\n$/);
  expect(await errorsOf()).toBe('');
});

test.each([
  ['DATA_DIR', {}, 'DATA_DIR /proc/nowhere'],
  ['NODE_DIR', {}, 'NODE_DIR /proc'],
  ['DATA_DIR', { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d', ...shared }, 'DATA_DIR /proc/nowhere'],
])('A %s where nothing can be made ends the start with a sentence (%j)', async (option, env, place) => {
  const { code, output, errors } = await start({ [option]: '/proc/nowhere', NODE_ROLE: 'true', ...env })
    .ended;
  const why = 'its path leads nowhere, or to where no directory can be made';
  expect({ code, errors }).toEqual({ code: 1, errors: `purveyor: ${place} cannot be used: ${why}.\n` });
  expect(output).not.toContain(' error ');
});

test('A password that was given is not shown', async () => {
  const running = start({
    BROKER_USERNAME: 'admin',
    BROKER_PASSWORD: 'canary-1',
    BROKER_PASSWORD_2: 'canary-2',
  });
  const address = await addressOf(running);
  for (const password of ['canary-1', 'canary-2']) {
    expect((await call(`admin:${password}`, `${address}/v2/catalog`)).status).toBe(200);
  }
  expect((await call('admin:canary-3', `${address}/v2/catalog`)).status).toBe(401);
  const { output } = await stop(running);
  expect(output).toContain('curl -u admin -H');
  expect(output).not.toContain('canary');
});

test('With logs for machines every line is a JSON object and no password is shown', async () => {
  const running = start({ LOG_FORMAT: 'json' });
  await running.shows(/"message":"ready"/);
  const { output } = await stop(running);
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.find(({ message }) => message === 'ready')).toMatchObject({
    address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    catalog: expect.stringMatching(/^\d+ services, \d+ plans$/) as string,
    passwordFile: join(scratch, 'data', 'broker-password'),
    limits: expect.stringMatching(/^memory, .*; disk by rlimits/) as string,
  });
  expect(output).not.toMatch(/curl|"madePassword"/);
});

test('A start by npm prints no warning, and Ctrl-C, which reaches it twice, ends it in order', async () => {
  const running = npmStart();
  await addressOf(running);
  // The terminal sends it to everybody, and npm passes it on.
  running.signal('SIGINT');
  const { output, errors } = await running.ended;
  expect(output).toMatch(/stopping why=SIGINT\n.* stopped\n$/);
  expect(errors.replaceAll(/^npm .*\n/gm, '')).toBe('');
});

test('The broker stops when nobody reads its output any more', async () => {
  const running = start({ LOG_LEVEL: 'debug' });
  const address = await addressOf(running);
  running.child.stdout?.destroy();
  await fetch(`${address}/healthz`);
  expect((await running.ended).code).toBe(0);
});

test('The broker reads the catalog again on SIGHUP, and keeps the old one when the new one has errors', async () => {
  const catalog = join(scratch, 'catalog');
  for (const file of ['echo.yaml', 'invert.yaml']) cpSync(join('catalog', file), join(catalog, file));
  cpSync('catalog/hooks/echo', join(catalog, 'hooks', 'echo'), { recursive: true });
  const running = start({ CATALOG_DIR: catalog, BROKER_PASSWORD: 'p' });
  const address = await addressOf(running);
  const names = async () => {
    const answer = await call('broker:p', `${address}/v2/catalog`);
    const { services } = (await answer.json()) as { services: { name: string }[] };
    return services.map(({ name }) => name);
  };
  rmSync(join(catalog, 'invert.yaml'));
  running.signal('SIGHUP');
  await running.shows(/catalog loaded catalog="1 service, 1 plan"/);
  expect(await names()).toEqual(['echo']);

  writeFileSync(join(catalog, 'broken.yaml'), 'id: [');
  running.signal('SIGHUP');
  await running.shows(/catalog problem detail="?\S*broken\.yaml/);
  expect(await names()).toEqual(['echo']);
  await stop(running);
});

test.each([
  ['people, in the banner', 'text', /^ {2}hidden +wanting: The executable a-program-that-nobody-has .*$/m],
  ['machines, in a line', 'json', /^.*"message":"offering hidden","offering":"wanting".*$/m],
])('What cannot be made is told once to %s', async (_whom, logFormat, expected) => {
  const catalog = join(scratch, 'wanting');
  cpSync(join('test', 'support', 'node-catalog', 'wanting.yaml'), join(catalog, 'wanting.yaml'));
  const env = { CATALOG_DIR: catalog, BROKER_PASSWORD: 'p', LOG_FORMAT: logFormat, LOG_LEVEL: 'debug' };
  const running = start({ ...env, NODE_ROLE: 'true' });
  await running.shows(logFormat === 'text' ? /listens on .*[^]*\/v2\/catalog\n/ : /"message":"ready"/);
  await stop(running);
  expect(running.output()).toMatch(expected);
  expect(running.output().match(/a-program-that-nobody-has/g)).toHaveLength(1);
});

test.each<[string, Record<string, string>, string[]]>([
  [
    'options',
    { PORT: 'many', LEASE: 'soon' },
    [
      'PORT must be a whole number from 0 to 65535.',
      'LEASE must be a duration such as 250ms, 15s, 5m, 2h or 30d.',
    ],
  ],
  ['a catalog', { CATALOG_DIR: '/no/such/place' }, ['/no/such/place: The directory does not exist.']],
])(
  'The broker refuses to start with %s that cannot be used, and says all that is wrong',
  async (_what, env, sentences) => {
    const { code, output, errors } = await start(env).ended;
    expect({ code, output }).toEqual({ code: 1, output: '' });
    for (const sentence of sentences) expect(errors).toContain(sentence);
  },
);

test('The broker says so when the port is taken', async () => {
  const server = createServer();
  opened.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  const port = await listen(server);
  const { code, errors } = await start({ PORT: String(port) }).ended;
  expect(code).toBe(1);
  expect(errors).toBe(`purveyor: Port ${port} is in use. Set PORT to another one.\n`);
});

test('A database that is away is waited for, at the start and later, and the probes say so', async () => {
  const gate = await openGate();
  opened.push(gate);
  const running = start({ ...shared, DATABASE_URL: gate.url.href, LOG_LEVEL: 'debug' });
  const [, address = ''] = await running.shows(/listening address=(\S+)/);
  const readiness = async () => {
    const answer = await fetch(`${address}/readyz`);
    const { reason } = (await answer.json()) as { reason?: string };
    return `${answer.status} ${reason}`;
  };
  await running.shows(/The database cannot be reached yet/);
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
  expect(await readiness()).toBe('503 it waits for its database');
  expect((await call('broker:p', `${address}/v2/catalog`)).status).toBe(503);

  gate.open();
  await addressOf(running);
  expect(await readiness()).toBe('200 undefined');

  gate.shut();
  expect(await readiness()).toBe('503 its database cannot be reached');
  gate.open();
  expect(await readiness()).toBe('200 undefined');

  expect((await stop(running)).code).toBe(0);
});

test('A database that hangs cannot hold up a stop', async () => {
  const gate = await openGate();
  opened.push(gate);
  gate.open();
  const running = start({ ...shared, DATABASE_URL: gate.url.href, DRAIN: '1s' });
  const address = await addressOf(running);
  gate.clog();
  expect((await fetch(`${address}/readyz`)).status).toBe(503);
  const started = Date.now();
  const { code, output } = await stop(running);
  expect(Date.now() - started).toBeLessThan(20_000);
  expect(output).toMatch(/stopped before everything had ended/);
  expect(code).toBe(1);
});

test('A database that refuses the login ends the start with a sentence', async () => {
  const gate = await openGate();
  opened.push(gate);
  gate.open();
  gate.url.password = 'canary-4';
  const { code, output, errors } = await start({ ...shared, DATABASE_URL: gate.url.href }).ended;
  expect(code).toBe(1);
  expect(errors).toMatch(/^purveyor: The database cannot be used: it refuses the login \(28P01\)\.$/m);
  expect(output + errors).not.toContain('canary');
});
