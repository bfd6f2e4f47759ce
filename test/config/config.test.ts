import { hostname } from 'node:os';
import { readOperatorAccess } from '../../src/config/access.ts';
import { ConfigError, presentValues, type Environment } from '../../src/config/config.ts';
import { options, readConfig } from '../../src/program/config.ts';

const external = {
  DATABASE_URL: 'postgres://u:p@db/purveyor',
  BROKER_PASSWORD: 'pass',
  ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 'key').toString('base64')}`,
};

function bound(name: string): object {
  return { name, credentials: { uri: external.DATABASE_URL } };
}

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env, false);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('The config: with an empty environment everything has a value that works on a laptop', () => {
  expect(readConfig({}, true)).toMatchObject({
    port: 8080,
    host: '127.0.0.1',
    dataDir: '.data',
    catalogDirs: ['catalog'],
    username: 'broker',
    asyncPatience: 8000,
    syncPatience: 50_000,
    lease: 15_000,
    workers: 10,
    history: 30 * 86_400_000,
    drain: 25_000,
    acceptMissingVersion: false,
    logLevel: 'info',
    logFormat: 'text',
    externalDatabase: false,
    node: true,
    nodeName: hostname(),
    nodeHost: '127.0.0.1',
    nodeBind: '127.0.0.1',
    nodeUrl: undefined,
    nodeDir: '.data/node',
    nodePorts: { first: 20_000, last: 24_999 },
    nodeCapacity: 100,
    nodeUser: undefined,
    checks: 64,
    sharedServers: {},
    operatorUsername: 'operator',
    operatorPassword: undefined,
  });
});

test('A variable that is set but blank counts as not set', () => {
  const blank = Object.fromEntries(Object.values(options).map(({ name }) => [name, ' ']));
  expect(readConfig(blank, false)).toEqual(readConfig({}, false));
});

test.each([
  ['250', 250],
  ['250ms', 250],
  ['15s', 15_000],
  ['5m', 300_000],
])('The duration %s is %i ms', (text, ms) => {
  expect(readConfig({ SYNC_PATIENCE: text }).syncPatience).toBe(ms);
});

test.each<[string, Environment, object]>([
  [
    'several catalog directories',
    { CATALOG_DIR: 'catalog:catalog/trial' },
    { catalogDirs: ['catalog', 'catalog/trial'] },
  ],
  [
    'a public address with a path',
    { PUBLIC_URL: 'https://b.example/broker/' },
    { publicUrl: 'https://b.example/broker' },
  ],
  [
    'the first address of the platform as the public one',
    { ...external, VCAP_APPLICATION: '{"application_uris":["b.example","c.example"]}' },
    { publicUrl: 'https://b.example', host: '0.0.0.0' },
  ],
  [
    'PUBLIC_URL before the address of the platform',
    { ...external, PUBLIC_URL: 'http://a.example', VCAP_APPLICATION: '{"uris":["b.example"]}' },
    { publicUrl: 'http://a.example' },
  ],
  ['a port alone as no wish to be reached from elsewhere', { PORT: '80' }, { port: 80, host: '127.0.0.1' }],
  [
    'a host of its own before that of a platform',
    { ...external, VCAP_APPLICATION: '{}', HOST: '::1' },
    { host: '::1' },
  ],
  [
    'words in any case',
    { LOG_LEVEL: 'DEBUG', ACCEPT_MISSING_VERSION: 'True' },
    { logLevel: 'debug', acceptMissingVersion: true },
  ],
  [
    'a bound database as an external one',
    { ...external, DATABASE_URL: '', VCAP_SERVICES: JSON.stringify({ pg: [bound('a')] }) },
    { externalDatabase: true, databaseUrl: undefined },
  ],
  ['an app on a platform as no node', { ...external, VCAP_APPLICATION: '{}' }, { node: false }],
  [
    'an app on a platform as a node when it is told so',
    { ...external, VCAP_APPLICATION: '{}', NODE_ROLE: 'true' },
    { node: true },
  ],
  ['a broker that carries no work as no node', { WORKERS: '0' }, { node: false }],
  ['what npm says of the program node as nothing of ours', { NODE: '/usr/bin/node' }, { node: true }],
  [
    'where a node is from what is known already',
    { DATA_DIR: '/d', NODE_HOST: '10.0.0.1' },
    { nodeDir: '/d/node', nodeBind: '10.0.0.1' },
  ],
  ['a range of one port', { NODE_PORTS: '2000-2000' }, { nodePorts: { first: 2000, last: 2000 } }],
  [
    'every server for databases that is named',
    { SHARED_POSTGRES_URL: 'postgres://a:b@one/d', BIG_POSTGRES_URL: 'postgres://a:b@two/d' },
    {
      sharedServers: {
        SHARED_POSTGRES_URL: { connectionString: 'postgres://a:b@one/d' },
        BIG_POSTGRES_URL: { connectionString: 'postgres://a:b@two/d' },
      },
    },
  ],
  ['an external database', external, { externalDatabase: true, databaseUrl: external.DATABASE_URL }],
])('The config reads %s', (_what, env, expected) => {
  expect(readConfig(env, false)).toMatchObject(expected);
});

test('An app on a platform does not keep its state on a disk that goes away with it', () => {
  const { BROKER_PASSWORD, ENCRYPTION_KEYS } = external;
  const problems = problemsOf({
    BROKER_PASSWORD,
    ENCRYPTION_KEYS,
    VCAP_APPLICATION: '{}',
    VCAP_SERVICES: '{}',
  });
  expect(problems).toEqual([
    expect.stringMatching(/^DATABASE_URL is missing, and VCAP_SERVICES binds no Postgres/),
  ]);
});

test('A password keeps its blanks', () => {
  expect(readConfig({ BROKER_PASSWORD: ' a b ' }).password).toBe(' a b ');
});

test.each<[string, Environment]>([
  ['PORT must be a whole number from 0 to 65535.', { PORT: '70000' }],
  ['PORT must be a whole number from 0 to 65535.', { PORT: '0x50' }],
  ['PUBLIC_URL must be an address that begins with http:// or https://.', { PUBLIC_URL: 'ftp://x' }],
  ['TLS_KEY is missing: TLS_CERT is set, and a certificate needs its key.', { TLS_CERT: '/c' }],
  ['TLS_CERT is missing: TLS_KEY is set, and a certificate needs its key.', { TLS_KEY: '/k' }],
  ['CREDHUB_URL must begin with https://: credentials are sent there.', { CREDHUB_URL: 'http://hub' }],
  ...[{}, { CREDHUB_CLIENT: 'purveyor' }, { CREDHUB_CERT: '/c' }].map((half): [string, Environment] => [
    'CREDHUB_URL is set: it needs CREDHUB_CLIENT and CREDHUB_SECRET_FILE, or CREDHUB_CERT and CREDHUB_KEY.',
    { CREDHUB_URL: 'https://hub', ...half },
  ]),
  [
    'CREDHUB_PATH must be a path such as /c/purveyor, of at most 80 letters, digits and - _ . /.',
    { CREDHUB_PATH: 'c/purveyor/' },
  ],
  [
    'TLS_CERT is missing: TLS_CLIENT_CA is set, and certificates are shown by TLS alone.',
    { TLS_CLIENT_CA: '/c' },
  ],
  [
    'NODE_IMAGES is missing: NODE_PULL is true, and it says which images may be fetched.',
    { NODE_PULL: 'true' },
  ],
  [
    'PUBLIC_URL must be an address without user, password, query and fragment.',
    { PUBLIC_URL: 'http://x/?a=1' },
  ],
  [
    'DATABASE_URL is not a url of the form postgres://user:password@host:5432/database (special characters percent-encoded).',
    { ...external, DATABASE_URL: 'mysql://x' },
  ],
  [
    'VCAP_SERVICES binds 2 Postgres services. Unbind all but one, or set DATABASE_URL.',
    { ...external, DATABASE_URL: '', VCAP_SERVICES: JSON.stringify({ pg: [bound('a'), bound('b')] }) },
  ],
  [
    'ENCRYPTION_KEYS cannot be used: Encryption key 1 is not 32 bytes in base64 (44 characters).',
    { ENCRYPTION_KEYS: '1:short' },
  ],
  ['CATALOG_DIR must name a directory, or several separated by colons.', { CATALOG_DIR: '::' }],
  ['BROKER_USERNAME must not contain a colon.', { BROKER_USERNAME: 'a:b' }],
  [
    'OPERATOR_PASSWORD must not be BROKER_PASSWORD, with the same name: platforms would be operators.',
    { BROKER_PASSWORD: 'one', OPERATOR_USERNAME: 'broker', OPERATOR_PASSWORD: 'one' },
  ],
  [
    'OPERATOR_PASSWORD must not be BROKER_PASSWORD_2, with the same name: platforms would be operators.',
    { BROKER_USERNAME: 'operator', BROKER_PASSWORD_2: 'one', OPERATOR_PASSWORD: 'one' },
  ],
  [
    'OPERATOR_PASSWORD must not be BROKER_PASSWORD_2, with the same name: platforms would be operators.',
    { BROKER_USERNAME_2: 'operator', BROKER_PASSWORD_2: 'one', OPERATOR_PASSWORD: 'one' },
  ],
  ['BROKER_PASSWORD_2 is missing: BROKER_USERNAME_2 is set.', { BROKER_USERNAME_2: 'next' }],
  ...['20000', '5000-4000', '80-90', '60000-70000', 'a-b'].map((range): [string, Environment] => [
    'NODE_PORTS must be a range of ports from 1024 to 65535, such as 20000-24999.',
    { NODE_PORTS: range },
  ]),
  [
    'NODE_NAME must have letters, digits, dots, dashes and underscores only, at most 100 of them.',
    { NODE_NAME: 'my node' },
  ],
  [
    'WORKERS is 0, but NODE_ROLE is true: nobody else could carry the work on this node.',
    { WORKERS: '0', NODE_ROLE: 'true' },
  ],
  ['CHECKS must be a whole number from 1 to 1000.', { CHECKS: '0' }],
  ['OPERATOR_USERNAME must not contain a colon.', { OPERATOR_USERNAME: 'a:b' }],
  [
    'BIG_POSTGRES_URL is not a url of the form postgres://user:password@host:5432/database (special characters percent-encoded).',
    { BIG_POSTGRES_URL: 'http://canary' },
  ],
  ['LEASE must be a duration such as 250ms, 15s, 5m, 2h or 30d.', { LEASE: 'soon' }],
  ['LEASE must be a duration from 1s to 10m.', { LEASE: '1d' }],
  ['ACCEPT_MISSING_VERSION must be one of: true, false.', { ACCEPT_MISSING_VERSION: 'perhaps' }],
  ['LOG_FORMAT must be one of: text, json.', { LOG_FORMAT: 'xml' }],
  ['VCAP_APPLICATION must be a JSON object.', { VCAP_APPLICATION: '{"a":' }],
  ['VCAP_SERVICES must be a JSON object.', { VCAP_SERVICES: '[]' }],
  ['TSURU_PASSWORDS must be a JSON object whose members are passwords.', { TSURU_PASSWORDS: '{"redis":1}' }],
  [
    'BROKER_PASSWORD is missing: with an external database it must be set.',
    { ...external, BROKER_PASSWORD: '' },
  ],
  [
    'ENCRYPTION_KEYS is missing: with an external database it must be set.',
    { ...external, ENCRYPTION_KEYS: undefined },
  ],
])('The config is refused with: %s', (sentence, env) => {
  expect(problemsOf(env)).toEqual([sentence]);
});

test.each<[string, Environment]>([
  ['one password under two names', { BROKER_PASSWORD: 'one', OPERATOR_PASSWORD: 'one' }],
  [
    'one name with two passwords',
    { BROKER_PASSWORD: 'one', OPERATOR_USERNAME: 'broker', OPERATOR_PASSWORD: 'two' },
  ],
])('Platforms and operators may have %s', (_what, env) => {
  expect(problemsOf(env)).toEqual([]);
});

test('All problems are told at once, and none tells a value', () => {
  const secret = 'canary-7f3a';
  const wrong = Object.fromEntries(Object.values(options).map(({ name }) => [name, `${secret}:?{`]));
  const problems = problemsOf({ ...wrong, CATALOG_DIR: ':', ENCRYPTION_KEYS: `1:${secret}` });
  expect(problems.length).toBeGreaterThan(12);
  expect(problems.join()).not.toContain(secret);
});

test('The present values say of a secret only whether it is set', () => {
  const values = presentValues(options, { ...external, PORT: '1' });
  expect(values.get('PORT')).toBe('1');
  expect(values.get('LEASE')).toBe('15s');
  expect(values.get('BROKER_PASSWORD')).toBe('set');
  expect(values.get('BROKER_PASSWORD_2')).toBe('not set');
  expect([...values.values()].join()).not.toMatch(/pass|postgres:|a2V5/);
});

test('Every option is named once and has a meaning and a default', () => {
  const all = Object.values(options);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { meaning, standard, otherwise } of all) {
    expect(meaning).toMatch(/\.$/);
    expect(standard ?? otherwise).toBeTruthy();
  }
});

test('What is needed to speak to a broker is read although the rest is wrong', () => {
  const access = readOperatorAccess({ ...external, BROKER_PASSWORD: '', PORT: '81', OPERATOR_PASSWORD: 'x' });
  expect(access).toEqual({
    port: 81,
    host: undefined,
    publicUrl: undefined,
    dataDir: '.data',
    operatorUsername: 'operator',
    operatorPassword: 'x',
  });
  expect(() => readOperatorAccess({ PORT: 'x' })).toThrow('PORT must be a whole number');
});

test.each<[string, number | string]>([
  ['0', 0],
  ['2', 2],
  ['loopback', 'loopback'],
  ['10.0.0.0/8,::1 , fd00::/8', '10.0.0.0/8, ::1, fd00::/8'],
])('The config: TRUST_PROXY may be %s', (given, read) => {
  expect(readConfig({ TRUST_PROXY: given }, false).trustProxy).toEqual(read);
});

test.each(['true', '-1', '1000', '10.0.0.0/33', '10.0.0.1/8/8', 'proxy.example.com', 'loopback,,'])(
  'The config: TRUST_PROXY %s is refused',
  (given) => {
    expect(problemsOf({ TRUST_PROXY: given })).toEqual([
      expect.stringMatching(/^TRUST_PROXY must be the number of proxies in front, or/),
    ]);
  },
);

test('The config: the router of a platform is trusted, nobody else is unless it was said', () => {
  expect(readConfig({}, false).trustProxy).toBe(0);
  expect(readConfig({ VCAP_APPLICATION: '{}', ...external }, false).trustProxy).toBe(1);
});
