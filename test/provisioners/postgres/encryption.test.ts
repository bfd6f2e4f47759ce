import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Work } from '../../../src/broker/provisioner.ts';
import { readConnection } from '../../../src/database/connection.ts';
import { type PostgresDatabases, postgresDatabases } from '../../../src/provisioners/postgres/index.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { type Authority, createAuthority, describeTls } from '../../support/certificates.ts';
import { until } from '../../support/until.ts';
import { aWork, finish } from '../contract.ts';
import { type SecureServer, startSecureServer } from './secure-server.ts';

/** Plans with TLS, on a server of the operator's that speaks it. */

describeTls('Databases with TLS', () => {
  let authority: Authority;
  let server: SecureServer;
  const opened: PostgresDatabases[] = [];
  const secret = aPlan({ making: { provisioner: 'postgres' }, operating: { tls: true } });
  const plain = aPlan({ making: { provisioner: 'postgres' } });

  beforeAll(async () => {
    authority = createAuthority();
    server = await startSecureServer(authority);
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await server.stop();
  });

  function databasesAt(address: string): PostgresDatabases {
    const { connectionString: url = '', ssl } = readConnection(address, 'SHARED_POSTGRES_URL');
    const made = postgresDatabases({
      servers: (name) => (name === 'SHARED_POSTGRES_URL' ? { url, ssl } : undefined),
    });
    opened.push(made);
    return made;
  }
  const workOf = (plan: Work['plan'], instanceId: string, bindingId?: string) =>
    aWork({ plan, instanceId, bindingId, values: { secrets: { password: 'a-password' } } });
  const loginOf = (facts: object = {}) => {
    const { server: at, db } = facts as Record<string, { port: number; name: string; user: string }>;
    return { port: at!.port, database: db!.name, user: db!.user, password: 'a-password' };
  };

  /** Gives the SQLSTATE or code with which a login ends. */
  async function endOf(login: object): Promise<string | undefined> {
    const client = new Client({ host: 'localhost', ...login });
    try {
      await client.connect();
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      void client.end().catch(() => undefined);
    }
  }

  test.each([
    ['verify-full', ''],
    ['verify-full', '&sslmode=verify-full'],
    ['verify-ca', '&sslmode=verify-ca'],
    ['verify-ca', '&sslmode=require'],
  ])(
    'A binding is told to verify by %s, and by what, where the address ends with "%s"',
    async (sslmode, end) => {
      const databases = databasesAt(`${server.verified}${end}`);
      const id = randomUUID();
      await finish(databases, 'provision', workOf(secret, id));
      const { facts } = await finish(databases, 'bind', workOf(secret, id, 'b'));
      expect(facts).toMatchObject({
        server: { host: 'localhost', sslmode },
        tls: { ca_pem: authority.cert },
      });
      expect(await endOf({ ...loginOf(facts), ssl: { ca: authority.cert } })).toBeUndefined();
      expect(await endOf({ ...loginOf(facts), ssl: { ca: createAuthority('other').cert } })).toBeDefined();
      expect(await endOf({ ...loginOf(facts), ssl: false })).toBe('28000');
      await finish(databases, 'deprovision', workOf(secret, id));
    },
  );

  test('Nothing but certificates is handed out of the file of the authority', async () => {
    const other = createAuthority();
    appendFileSync(authority.certFile, `a comment\n${other.key}${other.cert}`);
    const databases = databasesAt(server.verified);
    const id = randomUUID();
    const { facts } = await finish(databases, 'provision', workOf(secret, id));
    expect(facts?.['tls']).toEqual({ ca_pem: `${authority.cert}${other.cert}` });
    await finish(databases, 'deprovision', workOf(secret, id));
  });

  test('A plan without TLS is told nothing of the authority, and one that gets TLS later is', async () => {
    const databases = databasesAt(server.verified);
    const id = randomUUID();
    const before = await finish(databases, 'provision', workOf(plain, id));
    expect(before.facts).toMatchObject({ server: { sslmode: 'require' } });
    expect(before.facts).not.toHaveProperty('tls');
    const after = await finish(databases, 'update', workOf(secret, id));
    expect(after.facts).toMatchObject({ server: { sslmode: 'verify-full' }, tls: {} });
    await finish(databases, 'deprovision', workOf(secret, id));
  });

  test('A plan with TLS has nothing made as long as the server takes others without it', async () => {
    const databases = databasesAt(server.verified);
    const id = randomUUID();
    const refused = { word: 'unencrypted', message: expect.stringMatching(/without TLS/) };
    await server.takeInTheClear(true);
    await until('the server takes them', async () => (await endOf(stranger())) === '28P01');
    await expect(finish(databases, 'provision', workOf(secret, id))).rejects.toMatchObject(refused);
    await finish(databases, 'provision', workOf(plain, id));
    await expect(finish(databases, 'update', workOf(secret, id))).rejects.toMatchObject(refused);
    await expect(finish(databases, 'bind', workOf(secret, id, 'b'))).rejects.toMatchObject(refused);
    await server.takeInTheClear(false);
    await until('the server takes none', async () => (await endOf(stranger())) === '28000');
    await finish(databases, 'update', workOf(secret, id));
    await finish(databases, 'bind', workOf(secret, id, 'b'));
    await finish(databases, 'deprovision', workOf(secret, id));
  });

  /** Whom nobody knows, without TLS. */
  function stranger(): object {
    const { port } = new URL(server.url);
    return { port: Number(port), user: 'stranger', database: 'none', password: 'none' };
  }

  test.each([
    ['says nothing of TLS', ''],
    ['encrypts without verifying', '?sslmode=require'],
  ])('A plan with TLS is hidden where the address of the server %s', (_, end) => {
    const databases = databasesAt(`${server.url}${end}`);
    expect(databases.obstacle?.(plain)).toBeUndefined();
    expect(databases.obstacle?.(secret)).toMatch(
      /^the plan has TLS, and SHARED_POSTGRES_URL names no sslroot/,
    );
    expect(databasesAt(server.verified).obstacle?.(secret)).toBeUndefined();
  });
});
