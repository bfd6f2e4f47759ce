import * as fs from 'node:fs';
import { Pool } from 'pg';
import { findBoundDatabase } from '../../src/database/bound-database.ts';
import { readConnection } from '../../src/database/connection.ts';
import { resolveDatabase, type DatabaseChoice } from '../../src/database/resolve.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const uri = 'postgres://u:p%40ss@db.example:5433/orders';
const parts = { username: 'u', password: 'p@ss' };

describe('a bound service', () => {
  test.each([
    ['a uri, known by its scheme', 'elephantsql', { credentials: { uri } }, uri],
    ['a postgresql: url', 'x', { credentials: { url: 'postgresql://u:p@h/d' } }, 'postgresql://u:p@h/d'],
    [
      'a jdbcUrl',
      'x',
      { credentials: { jdbcUrl: 'jdbc:postgresql://h:1/d?user=u&password=p%40ss&sslmode=require' } },
      'postgresql://u:p%40ss@h:1/d?sslmode=require',
    ],
    [
      'fields, known by a tag',
      'aws-rds',
      { tags: ['sql', 'PostgreSQL'], credentials: { ...parts, host: 'h', port: 5433, database: 'd' } },
      'postgres://u:p%40ss@h:5433/d',
    ],
    [
      'fields with other names and no port, known by its label',
      'a9s-pgsql-13',
      { credentials: { user: 'u', password: 'p', hostname: 'h', dbname: 'd' } },
      'postgres://u:p@h:5432/d',
    ],
    [
      'fields, the database as name, an IPv6 host and an sslmode, known by its own name',
      'user-provided',
      { name: 'my-postgres', credentials: { ...parts, host: '::1', name: 'd', sslmode: 'require' } },
      'postgres://u:p%40ss@[::1]:5432/d?sslmode=require',
    ],
    [
      'a uri nobody can parse, and fields',
      'x',
      { credentials: { ...parts, uri: 'postgres://u:p@ss/word@h/d', hostname: 'h', name: 'd' } },
      'postgres://u:p%40ss@h:5432/d',
    ],
    [
      'fields and the https url of a dashboard',
      'postgres',
      { credentials: { ...parts, url: 'https://dashboard.example', host: 'h', name: 'd' } },
      'postgres://u:p%40ss@h:5432/d',
    ],
  ])('A bound service is understood with %s', (_title, label, service, url) => {
    expect(findBoundDatabase({ [label]: [{ name: 'db', ...service }] })?.url).toBe(url);
  });

  test.each([['ca', 'sslca', 'ca_certificate', 'cacrt'].map((field) => [field] as const)].flat())(
    'A bound service may bring its authority as %s',
    (field) => {
      expect(findBoundDatabase({ x: [{ name: 'db', credentials: { uri, [field]: 'PEM' } }] })?.ca).toBe(
        'PEM',
      );
    },
  );

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'postgres'],
    ['no services', {}],
    [
      'a MySQL, whatever it is called',
      { x: [{ name: 'not-postgres', credentials: { uri: 'mysql://u:p@h/d' } }] },
    ],
    ['a service without credentials', { redis: [{ name: 'cache' }] }],
    ['rubbish in the place of services', { x: 7, y: [null, 'z'] }],
  ])('A bound service is not found in %s', (_title, vcapServices) => {
    expect(findBoundDatabase(vcapServices)).toBeUndefined();
  });

  test('A bound service is refused when there are two', () => {
    const two = {
      x: [{ name: 'first', credentials: { uri } }],
      y: [{ name: 'second', credentials: { uri } }],
    };
    expect(() => findBoundDatabase(two)).toThrow(/binds 2 Postgres services\./);
  });

  test('A bound service is refused when its credentials are of no use, rather than passed over', () => {
    const vague = { postgres: [{ name: 'db', credentials: { 'credhub-ref': '/c/d' } }] };
    expect(() => findBoundDatabase(vague)).toThrow(
      /a service that looks like a Postgres, but its credentials/,
    );
  });
});

describe('sslmode', () => {
  const anyName = expect.any(Function) as unknown;

  test.each([
    ['', undefined, false],
    ['', 'PEM', { ca: 'PEM', rejectUnauthorized: true }],
    ['?sslmode=disable', 'PEM', false],
    ['?sslmode=no-verify', 'PEM', { rejectUnauthorized: false }],
    ['?sslmode=require', undefined, { rejectUnauthorized: false }],
    ['?sslmode=require', 'PEM', { ca: 'PEM', rejectUnauthorized: true, checkServerIdentity: anyName }],
    ['?sslmode=verify-ca', 'PEM', { ca: 'PEM', rejectUnauthorized: true, checkServerIdentity: anyName }],
    ['?sslmode=verify-full', undefined, { rejectUnauthorized: true }],
    ['?ssl=true', undefined, { rejectUnauthorized: true }],
    ['?ssl=false', undefined, false],
  ])('The sslmode of a url with "%s" and the authority %s', (query, authority, ssl) => {
    expect(readConnection(uri + query, 'DATABASE_URL', authority)).toEqual({ connectionString: uri, ssl });
  });

  test('The sslmode leaves the other parameters of the url alone', () => {
    const { connectionString } = readConnection(`${uri}?application_name=a&sslmode=require`, 'DATABASE_URL');
    expect(connectionString).toBe(`${uri}?application_name=a`);
  });

  test('An sslmode that is unknown, or leaves the choice to the server, is refused', () => {
    expect(() => readConnection(`${uri}?sslmode=prefer`, 'DATABASE_URL')).toThrow(
      /^DATABASE_URL has an sslmode that is not one of disable, no-verify, require/,
    );
  });

  test('An sslmode with a certificate file that is not there is refused, naming the parameter and not its value', () => {
    expect(() => readConnection(`${uri}?sslmode=verify-full&sslrootcert=/no/ca.pem`, 'DATABASE_URL')).toThrow(
      new Error('DATABASE_URL: the file that its sslrootcert names cannot be read (ENOENT).'),
    );
  });
});

describe('the choice', () => {
  const vcapServices = { x: [{ name: 'db', credentials: { uri } }] };

  test('The choice falls on DATABASE_URL first', async () => {
    const database = await resolveDatabase(choice({ databaseUrl: 'postgres://me@here/mine', vcapServices }));
    expect(database).toMatchObject({ origin: 'DATABASE_URL', embedded: false });
    expect(database.pool.connectionString).toBe('postgres://me@here/mine');
    await database.stop();
  });

  test('The choice falls on a bound service next, and says so without its password', async () => {
    const database = await resolveDatabase(choice({ databaseUrl: '', vcapServices }));
    expect(database).toMatchObject({ origin: 'the bound service db', embedded: false });
    expect(database.pool).toEqual({ connectionString: uri, ssl: false });
  });

  test('The choice falls on the embedded database last, which a pool can use', async () => {
    const dataDir = scratchDirectory('resolve');
    fs.chmodSync(dataDir, 0o755);
    const database = await resolveDatabase(choice({ dataDir, vcapServices: {} }));
    const pool = new Pool(database.pool);
    const result = await pool
      .query('select current_user as role, current_database() as database')
      .catch(String);
    await pool.end();
    await database.stop();
    expect(result).toMatchObject({ rows: [{ role: 'purveyor', database: 'purveyor' }] });
    expect(database.embedded).toBe(true);
  });

  test.each(['mysql://u:secret@h/d', 'postgres://u:sec#ret@h/d', 'postgres://u:1#secret@h/d', 'secret'])(
    'The choice never repeats a url it cannot read: %s',
    async (databaseUrl) => {
      const failure = await resolveDatabase(choice({ databaseUrl })).catch((error: unknown) => String(error));
      expect(failure).toMatch(/^Error: DATABASE_URL is not a url of the form postgres:/);
      expect(failure).not.toMatch(/sec#?ret/);
    },
  );

  function choice(some: Partial<DatabaseChoice>): DatabaseChoice {
    return { dataDir: '/nowhere', note: () => {}, ...some };
  }
});
