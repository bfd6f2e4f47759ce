import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type SecureServer, startSecureServer } from '../provisioners/postgres/secure-server.ts';
import { type Authority, createAuthority, describeTls } from '../support/certificates.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { type Bound, isInstalled, openShop, type Shop } from './shop.ts';

/** The plan `secure` of postgres on an operator's server, through psql and the usual library of Python. */

describeTls('The plan secure of postgres', () => {
  let authority: Authority;
  let server: SecureServer;
  let shop: Shop;
  beforeAll(async () => {
    authority = createAuthority();
    server = await startSecureServer(authority);
    shop = await openShop({ SHARED_POSTGRES_URL: server.verified });
  });
  afterAll(async () => {
    await shop.close();
    await server.stop();
  });

  /** By parts, verified with the host's name; by the address, with the authority and without it. */
  const program = `
import json, os, psycopg2
found = json.loads(os.environ['FOUND'])
ca = os.environ['CA_FILE']
assert found['tls'] is True and found['sslmode'] == 'verify-full'
parts = dict(host=found['hostname'], port=found['port'], dbname=found['database'], user=found['username'],
             password=found['password'], sslmode=found['sslmode'], sslrootcert=ca)
for one in (psycopg2.connect(**parts), psycopg2.connect(found['uri'], sslrootcert=ca), psycopg2.connect(found['uri'])):
    assert one.info.ssl_in_use
    with one.cursor() as asking:
        asking.execute('select 1')
        assert asking.fetchone() == (1,)
try:
    psycopg2.connect(**{**parts, 'sslmode': 'disable'})
except psycopg2.OperationalError:
    pass
else:
    raise AssertionError('it was served in the clear')
`;

  const psql = isInstalled('psql') ? test : test.skip;
  psql(
    'psql verifies the server by the credentials alone, refuses another authority, and nothing is in the clear.',
    async () => {
      const bought = await shop.buy('postgres', 'secure');
      const bound = await bought.bind();
      expect(await proven(bound)).toBe(true);
      expect(await proven(bound, { ca: createAuthority('other').cert })).toBe(false);
      expect(await proven(bound, { ca: '', sslmode: 'disable' })).toBe(false);
      await bound.unbind();
      expect(await proven(bound)).toBe(false);
      await bought.deprovision();
    },
  );

  const library = hasLibrary() ? test : test.skip;
  library(
    'psycopg2 of Python verifies the server by the credentials, and the address alone encrypts.',
    async () => {
      const bought = await shop.buy('postgres', 'small');
      expect((await bought.update('secure')).status).toBe(200);
      const { credentials } = await bought.bind();
      expect(credentials['jdbcUrl']).toMatch(/&sslmode=require$/);
      const file = join(scratchDirectory('ca'), 'ca.pem');
      writeFileSync(file, credentials['ca'] ?? '');
      const env = { FOUND: JSON.stringify(credentials), CA_FILE: file };
      await promisify(execFile)('/usr/bin/python3', ['-c', program], { env, timeout: 60_000 });
      await bought.deprovision();
    },
  );

  /** Does the proof of the offering succeed, as `try` runs it, with the credentials or some in their place? */
  async function proven(
    { credentials: given }: Bound,
    others: Readonly<Record<string, string>> = {},
  ): Promise<boolean> {
    const credentials = { ...given, ...others };
    const env = {
      PATH: process.env['PATH'],
      PGHOST: credentials['host'],
      PGPORT: String(credentials['port']),
      PGDATABASE: credentials['name'],
      PGUSER: credentials['username'],
      PGPASSWORD: credentials['password'],
      PGSSLMODE: credentials['sslmode'],
    };
    const running = promisify(execFile)(resolve('catalog/hooks/postgres/prove'), { env, timeout: 60_000 });
    running.child.stdin?.end(JSON.stringify(credentials));
    return running.then(
      () => true,
      () => false,
    );
  }
});

test('The plan secure of postgres is not on sale where the server speaks no TLS.', async () => {
  const shop = await openShop();
  await expect(shop.buy('postgres', 'secure')).rejects.toThrow('There is no plan secure of postgres on sale');
  await (await shop.buy('postgres', 'small')).deprovision();
  await shop.close();
});

function hasLibrary(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import psycopg2'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
