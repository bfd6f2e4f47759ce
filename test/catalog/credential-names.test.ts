import { namedCredentials } from '../../src/catalog/credential-names.ts';
import { anOffering, loaded } from './folder.ts';
import { catalogOf } from './compiled.ts';

/** The names by which libraries look for what credentials hold; `credentials_type` asks for them. */

async function credentialsOf(changes: object): Promise<unknown> {
  const { offerings } = await catalogOf(anOffering(changes));
  return offerings[0]?.plans[0]?.making.answer.credentials;
}

const secrets = { word: {} };
const parts = {
  host: 'h',
  port: '{{ports.main}}',
  username: '{{binding.key}}',
  password: '{{secrets.word}}',
};

test.each<[what: string, type: string, credentials: object, added: object]>([
  [
    'a service has its type and the two names of its host and address',
    'x',
    { host: 'h', uri: 'x://h' },
    {
      hostname: 'h',
      url: 'x://h',
      type: 'x',
      provider: 'purveyor',
    },
  ],
  [
    'names are found from either side',
    'x',
    { hostname: 'h', url: 'x://h' },
    {
      host: 'h',
      uri: 'x://h',
      type: 'x',
      provider: 'purveyor',
    },
  ],
  ['what a file says itself stays', 'x', { host: 'h', hostname: 'other', type: 'y', provider: 'me' }, {}],
  [
    'a name is no database where the type is not one of databases',
    'redis',
    { name: 'n' },
    {
      type: 'redis',
      provider: 'purveyor',
    },
  ],
  [
    'a database of MySQL has an address that both Java drivers take',
    'mysql',
    { ...parts, name: 'n' },
    {
      hostname: 'h',
      database: 'n',
      type: 'mysql',
      provider: 'purveyor',
      jdbcUrl:
        'jdbc:mysql://h:{{ports.main}}/n?user={{binding.key | uri}}&password={{secrets.word | uri}}&permitMysqlScheme=true',
    },
  ],
  [
    'a database of PostgreSQL hands its sslmode on',
    'postgresql',
    { ...parts, port: 5, database: 'n', sslmode: 'a b' },
    {
      hostname: 'h',
      name: 'n',
      type: 'postgresql',
      provider: 'purveyor',
      jdbcUrl:
        'jdbc:postgresql://h:5/n?user={{binding.key | uri}}&password={{secrets.word | uri}}&sslmode=a%20b',
    },
  ],
  [
    'there is no address for Java where a value cannot be escaped',
    'mariadb',
    {
      ...parts,
      name: 'n',
      username: 'u-{{binding.key}}',
    },
    { hostname: 'h', database: 'n', type: 'mariadb', provider: 'purveyor' },
  ],
])('Names of credentials: %s.', async (_, credentials_type, credentials, added) => {
  expect(await credentialsOf({ secrets, credentials, credentials_type })).toEqual({
    ...credentials,
    ...added,
  });
});

test('Credentials without a type are what the file says.', async () => {
  expect(await credentialsOf({ credentials: { host: 'h' } })).toEqual({ host: 'h' });
});

test('A type without credentials is refused.', async () => {
  const { lines } = await loaded({
    'a.json': anOffering({ bindable: false, credentials: undefined, credentials_type: 'x' }),
  });
  expect(lines).toEqual(['a.json: credentials_type: It says what `credentials` are, and there are none.']);
});

test.each<[what: string, uri: string, secured: string]>([
  ['without a query', 'postgres://{{db.user}}@h/n', 'postgres://{{db.user}}@h/n?sslmode=require'],
  ['with one', 'postgresql://h/n?a=b', 'postgresql://h/n?a=b&sslmode=require'],
  ['with a mode of its own', 'postgres://h/n?sslmode=verify-ca', 'postgres://h/n?sslmode=verify-ca'],
])('Addresses of PostgreSQL ask for encryption in a plan with TLS: %s.', (_, uri, secured) => {
  const ca = '{{tls.ca_pem}}';
  expect(namedCredentials({ credentials: { uri }, tls: true })).toEqual({ tls: true, ca, uri: secured });
  expect(namedCredentials({ credentials: { uri } })).toEqual({ uri });
});

test('JDBC takes the encryption of a plan with TLS in place of a mode that needs a file.', () => {
  const credentials = { ...parts, port: 5, name: 'n', sslmode: '{{server.sslmode}}' };
  expect(namedCredentials({ credentials, credentials_type: 'postgresql', tls: true })).toMatchObject({
    sslmode: '{{server.sslmode}}',
    jdbcUrl:
      'jdbc:postgresql://h:5/n?user={{binding.key | uri}}&password={{secrets.word | uri}}&sslmode=require',
  });
});

test('An address in which half a character would stand is left out.', async () => {
  const whole = { host: 'h', port: 1, database: 'd', username: 'u', password: 'p' };
  const [one, other] = await Promise.all(
    [whole, { ...whole, password: '\ud800' }].map((credentials) =>
      credentialsOf({ credentials_type: 'postgresql', credentials }),
    ),
  );
  expect([Object(one), Object(other)].map((credentials: object) => 'jdbcUrl' in credentials)).toEqual([
    true,
    false,
  ]);
});
