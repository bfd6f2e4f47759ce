import { X509Certificate } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { createServer, connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Authorities, Authority as Row } from '../../../src/broker/nodes.ts';
import { createCertificates } from '../../../src/program/authority/certificates.ts';
import { createAuthorityOffice } from '../../../src/program/authority/office.ts';
import { decideSuccession, type Root } from '../../../src/program/authority/succession.ts';
import { migrate } from '../../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../../src/stores/postgres/broker-migrations.ts';
import { readKeys } from '../../../src/stores/keyring.ts';
import { postgresAuthorities } from '../../../src/program/authority/stored.ts';
import { resealRows } from '../../../src/stores/postgres/reseal.ts';
import { resealer } from '../../../src/stores/sealed.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

/** The broker's own authority, what it signs and what follows it. */

const day = 86_400_000;
const start = new Date('2030-01-01T00:00:00Z');
const after = (days: number) => new Date(start.getTime() + days * day);
const keyOf = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
});
afterEach(() => database.pool.query('truncate authorities'));
afterAll(() => database.close());

function remembered(ring = keyOf('a', 1)): Authorities {
  return postgresAuthorities(database.pool, () => readKeys(ring));
}

describe('the authority', () => {
  test('A certificate is for the names that were asked for, signed by the authority, with a key of its own.', async () => {
    const certificates = createCertificates(remembered(), () => start);
    const [one, other] = [
      await certificates.issue(['10.1.2.3', 'db.example']),
      await certificates.issue(['h']),
    ];
    const [leaf, root] = [
      new X509Certificate(one.certificate),
      new X509Certificate((await certificates.inForce(0)).roots),
    ];
    expect(leaf.subjectAltName).toBe('IP Address:10.1.2.3, DNS:db.example');
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect([leaf.ca, root.ca]).toEqual([false, true]);
    expect(leaf.serialNumber.toLowerCase()).toBe(one.serial);
    expect(one.key).not.toBe(other.key);
    expect([one.renewAt, one.notAfter]).toEqual([after(60), after(90)]);
    expect(new Date(leaf.validTo)).toEqual(after(90));
  });

  test('Several brokers that need it at once have the same authority.', async () => {
    const brokers = Array.from({ length: 5 }, () => createCertificates(remembered()));
    const issued = await Promise.all(brokers.map((one) => one.issue(['h'])));
    const roots = new Set(await Promise.all(brokers.map(async (one) => (await one.inForce(0)).roots)));
    expect(roots.size).toBe(1);
    const root = new X509Certificate([...roots].join(''));
    for (const { certificate } of issued)
      expect(new X509Certificate(certificate).verify(root.publicKey)).toBe(true);
  });

  test('The key of the authority lies encrypted, moves to the newest encryption key, and is not read without it.', async () => {
    await createCertificates(remembered()).issue(['h']);
    const stored = async () =>
      (await database.pool.query<{ confidential: string }>('select confidential from authorities')).rows[0];
    expect((await stored())?.confidential).not.toContain('PRIVATE');
    const both = `${keyOf('b', 2)},${keyOf('a', 1)}`;
    expect(await resealRows(database.pool, resealer(readKeys(both)))).toBe(1);
    expect(await remembered(keyOf('b', 2)).list()).toHaveLength(1);
    await expect(remembered(keyOf('a', 1)).list()).rejects.toMatchObject({ code: 'unreadable' });
  });

  test('A client that knows the authority is let in, and one that knows another one refuses.', async () => {
    const certificates = createCertificates(remembered());
    const { certificate: cert, key } = await certificates.issue(['127.0.0.1']);
    const server = createServer({ cert, key }, (socket) => socket.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const meet = (ca: string) => once(connect({ host: '127.0.0.1', port, ca }) as TLSSocket, 'secureConnect');
    await meet((await certificates.inForce(0)).roots);
    await database.pool.query('truncate authorities');
    await expect(meet((await createCertificates(remembered()).inForce(0)).roots)).rejects.toThrow(
      'certificate',
    );
    server.close();
  });
});

describe('succession', () => {
  const root = (generation: number, days: number, signsFrom?: number): Root => ({
    generation,
    notAfter: after(days),
    signsFrom: signsFrom === undefined ? undefined : after(signsFrom),
  });

  test.each<
    [
      what: string,
      all: readonly ReturnType<typeof root>[],
      signer: number | undefined,
      next: number | undefined,
    ]
  >([
    ['the first is made when there is none', [], undefined, 1],
    ['one that is young signs alone', [root(1, 3000)], 1, undefined],
    ['one past half of its life signs, and has its successor made', [root(1, 1800)], 1, 2],
    ['the older one signs while both live', [root(1, 200), root(2, 3000)], 1, undefined],
    [
      'the younger one signs when the older could not outlive two certificates',
      [root(1, 179), root(2, 3000)],
      2,
      undefined,
    ],
    ['one that has ended has a successor', [root(1, -1)], undefined, 2],
    ['one that an operator has made waits for its time', [root(1, 3000), root(2, 3600, 1)], 1, undefined],
    ['one that an operator has made signs from its time on', [root(1, 3000), root(2, 3600, 0)], 2, undefined],
    [
      'one that was made in time follows one that an operator has made',
      [root(1, 100), root(2, 170, -3000), root(3, 3600)],
      3,
      undefined,
    ],
  ])('Of the authorities %s.', (_, all, signer, next) => {
    const decided = decideSuccession(all, start);
    expect(decided.signer?.generation).toBe(signer);
    expect(decided.next).toBe(next);
  });

  test.each([
    ['as long as the last certificate that they have signed may be in use', -90, [1, 2]],
    ['no longer than that', -92, [2]],
  ])(
    'Authorities that an operator has had followed are told to bindings %s.',
    (_when, signsFrom, trusted) => {
      const decided = decideSuccession([root(1, 3000), root(2, 3600, signsFrom)], start);
      expect(decided.trusted.map(({ generation }) => generation)).toEqual(trusted);
    },
  );

  test('Certificates of both authorities are good for who was told of them in the years between.', async () => {
    let now = start;
    const rows: Row[] = [];
    const kept: Authorities = {
      list: async () => rows,
      add: async (row) => rows.push(row) > 0,
      schedule: async () => false,
    };
    const certificates = createCertificates(kept, () => now);
    const old = await certificates.issue(['h']);
    now = after(2000);
    const told = (await certificates.inForce(0)).roots.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(told).toHaveLength(2);
    now = after(3500);
    const young = await certificates.issue(['h']);
    const [first, second] = told.map((text) => new X509Certificate(text).publicKey);
    expect(new X509Certificate(old.certificate).verify(first!)).toBe(true);
    expect(new X509Certificate(young.certificate).verify(second!)).toBe(true);
    now = after(3700);
    expect((await certificates.inForce(0)).roots).toBe(told[1]);
  });
});

describe('a change of the authority before its time', () => {
  let now: Date;
  const officeOf = (authorities: Authorities) =>
    createAuthorityOffice(authorities, {
      observe: () => undefined,
      newId: randomUUID,
      settings: { holder: 'this one' } as never,
      now: () => now,
    });
  const origin = { protocol: 'operator', principal: 'ops' };
  const renew = (authorities: Authorities, generation: number, days: number) =>
    officeOf(authorities).renew({ generation, signsAfter: days * day, origin });
  const auditOf = async (generation: number) => {
    const { rows } = await database.pool.query<{ after: { signs_from: string } }>(
      `select after from audit_trail where verb = 'renew-authority' and object_id = $1 order by at, id`,
      [String(generation)],
    );
    return rows.map((row) => row.after.signs_from);
  };

  test('The next authority is told at once and signs when it was said; said again it is another time, and each has its row.', async () => {
    now = start;
    const certificates = createCertificates(remembered(), () => now);
    expect((await certificates.issue(['h'])).authority).toBe(1);
    expect(await renew(remembered(), 2, 30)).toMatchObject({ generation: 2, signs: false, trusted: true });
    const { signer, roots } = await certificates.inForce(0);
    expect([signer, roots.match(/BEGIN/g)?.length]).toEqual([1, 2]);
    expect(await renew(remembered(), 2, 10)).toMatchObject({ signsFrom: after(10) });
    now = after(11);
    const issued = await certificates.issue(['h']);
    expect([issued.authority, issued.roots]).toEqual([2, roots]);
    const second = new X509Certificate(roots.slice(roots.lastIndexOf('-----BEGIN')));
    expect(new X509Certificate(issued.certificate).verify(second.publicKey)).toBe(true);
    expect(await renew(remembered(), 2, 0)).toMatchObject({ signs: true, signsFrom: after(10) });
    expect(await auditOf(2)).toEqual([after(30).toISOString(), after(10).toISOString()]);
    now = after(110);
    expect((await certificates.inForce(0)).roots.trim()).toBe(second.toString().trim());
  });

  test('An authority that was followed, and one that would leave a gap, are refused and leave nothing.', async () => {
    now = start;
    await renew(remembered(), 1, 0);
    await renew(remembered(), 2, 0);
    for (const generation of [1, 4])
      await expect(renew(remembered(), generation, 0)).rejects.toThrow(
        'The authority that can be made to sign is 3.',
      );
    expect((await officeOf(remembered()).list()).map(({ signs }) => signs)).toEqual([false, true]);
  });

  test('Operators who ask for it at once make one, and the key that all lies under may change meanwhile.', async () => {
    now = start;
    await renew(remembered(), 1, 0);
    const both = `${keyOf('b', 2)},${keyOf('a', 1)}`;
    await Promise.all([
      ...Array.from({ length: 4 }, () => renew(remembered(both), 2, 1)),
      resealRows(database.pool, resealer(readKeys(both))),
    ]);
    const states = await officeOf(remembered(both)).list();
    expect(states).toMatchObject([{ signs: true }, { signs: false, signsFrom: after(1) }]);
  });
});
