import { copyFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsPair } from '../../../src/http/listener.ts';
import { openCertificate, type CertificateWatch } from '../../../src/program/tls/certificate.ts';
import { isStrict, unnamedPlaces } from '../../../src/program/tls/names.ts';
import { readPair } from '../../../src/program/tls/pair.ts';
import { readConfig } from '../../../src/program/config.ts';
import { createAuthority, describeTls, type Authority, type MadePair } from '../../support/certificates.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';

const dayMs = 86_400_000;

describeTls('The files of a certificate', () => {
  let authority: Authority;
  let first: MadePair;
  let files: { readonly tlsCert: string; readonly tlsKey: string };
  let served: TlsPair[];
  let told: string[];
  /** Absent: the clock. */
  let now: Date | undefined;
  let watch: CertificateWatch | undefined;

  beforeAll(() => {
    authority = createAuthority();
    first = authority.issue();
  });
  beforeEach(() => {
    const place = scratchDirectory('certificate');
    files = { tlsCert: join(place, 'cert'), tlsKey: join(place, 'key') };
    served = [];
    told = [];
    now = undefined;
    write(first);
  });
  afterEach(() => watch?.close());

  function write({ cert, key }: Partial<MadePair>): void {
    if (cert !== undefined) writeFileSync(files.tlsCert, cert);
    if (key !== undefined) writeFileSync(files.tlsKey, key);
  }

  async function follow(lookMs = 5): Promise<void> {
    const log = { note: (level: string, message: string) => void told.push(`${level}: ${message}`) };
    const parts = { files, log, onServed: () => undefined, now: () => now ?? new Date(), lookMs };
    watch = (await openCertificate(parts)).follow({ renew: (pair) => void served.push(pair) });
  }

  /** So many more looks have ended. */
  async function looks(count = 3): Promise<void> {
    for (let look = 0; look < count; look += 1) await watch?.reload();
  }

  test('A new pair is served without anybody asking, also when it was put in place by renaming.', async () => {
    await follow();
    const fresh = authority.issue();
    write({ key: fresh.key });
    copyFileSync(fresh.certFile, `${files.tlsCert}.new`);
    renameSync(`${files.tlsCert}.new`, files.tlsCert);
    await until('it is served', () => served.length > 0);
    expect(served).toMatchObject([{ cert: fresh.cert, key: fresh.key }]);
    expect(told).toEqual(['info: certificate loaded']);
  });

  test('A new pair behind a link that is turned, as in a volume of Kubernetes, is served.', async () => {
    const place = scratchDirectory('volume');
    files = { tlsCert: join(place, 'data', '1.crt'), tlsKey: join(place, 'data', '1.key') };
    const [before, after] = [createAuthority(), createAuthority()].map((one) => one.issue(90)) as [
      MadePair,
      MadePair,
    ];
    symlinkSync(join(before.certFile, '..'), join(place, 'data'));
    await follow();
    symlinkSync(join(after.certFile, '..'), join(place, 'fresh'));
    renameSync(join(place, 'fresh'), join(place, 'data'));
    await until('it is served', () => served.length > 0);
    expect(served).toMatchObject([{ cert: after.cert }]);
  });

  test('A bad pair is told once, the one from before stays in use, and a good one that follows is served.', async () => {
    await follow();
    write({ cert: 'nothing' });
    await until('it is told', () => told.length > 0);
    await looks();
    expect(new Set(told.map((line) => line.replace(/TLS_CERT \S+/, 'TLS_CERT')))).toEqual(
      new Set([
        'error: TLS_CERT holds no certificate: it must begin with -----BEGIN CERTIFICATE-----. The certificate from before stays in use.',
      ]),
    );
    expect(served).toEqual([]);
    const fresh = authority.issue();
    write(fresh);
    await until('it is served', () => served.length > 0);
  });

  test('What is wrong is told at once to who asks for the files to be read, and by itself only when it stays so.', async () => {
    await follow(3_600_000);
    write({ key: authority.key });
    await watch?.reload();
    expect(told).toEqual([
      expect.stringMatching(/^error: TLS_KEY is not the key of the certificate in TLS_CERT/),
    ]);
  });

  test('A pair that is the same is not served again.', async () => {
    await follow();
    write(first);
    await looks();
    expect({ served, told }).toEqual({ served: [], told: [] });
  });

  test('A certificate is told of in its last 30 days, once a day, and when it has expired.', async () => {
    await follow(3_600_000);
    const { certificate } = await readPair(files, new Date());
    const end = certificate.validToDate.getTime();
    for (const left of [31, 30, 29.5, 29.4, 2.5, 1.5, 0.5]) {
      now = new Date(end - left * dayMs);
      await watch?.reload();
    }
    const day = certificate.validToDate.toISOString().slice(0, 10);
    expect(told).toEqual(
      ['in 29 days', 'in 2 days', 'in a day', 'in less than a day'].map(
        (when) => `warn: The certificate in TLS_CERT expires on ${day}, ${when}: renew it.`,
      ),
    );
    now = new Date(end + 1);
    await watch?.reload();
    expect(told.at(-1)).toBe(
      `error: The certificate in TLS_CERT has expired on ${day}, and clients refuse it: renew it.`,
    );
  });

  const shared = { BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}` };
  const external = { DATABASE_URL: 'postgres://u:p@db/x', ...shared };

  test.each<[string, Readonly<Record<string, string>>, readonly RegExp[]]>([
    ['the address listened on', {}, []],
    ['PUBLIC_URL that it names', { PUBLIC_URL: 'https://localhost:8443/x' }, []],
    [
      'PUBLIC_URL that it does not name',
      { PUBLIC_URL: 'https://b.example' },
      [/not for b\.example.*PUBLIC_URL/],
    ],
    ['PUBLIC_URL of a proxy', { PUBLIC_URL: 'https://b.example', TRUST_PROXY: '1' }, []],
    ['other brokers', { ...external, NODE_HOST: '192.0.2.1' }, [/not for 192\.0\.2\.1.*NODE_URL/]],
    ['other brokers by NODE_URL', { ...external, NODE_HOST: '192.0.2.1', NODE_URL: 'https://n.example' }, []],
  ])(
    'That a certificate names no place where callers are sent is told: %s.',
    async (_what, env, expected) => {
      const { certificate } = await readPair(files, new Date());
      const config = readConfig({ NODE_ROLE: 'true', ...env });
      const sentences = unnamedPlaces(certificate, 'https://127.0.0.1:8080', config);
      expect(sentences).toEqual(expected.map((sentence) => expect.stringMatching(sentence)));
    },
  );

  test.each([
    [true, { PUBLIC_URL: 'https://b.example' }],
    [false, {}],
    [false, { PUBLIC_URL: 'https://192.0.2.1' }],
    // Browsers would come to the ports of instances by TLS alone.
    [false, { PUBLIC_URL: 'https://b.example', NODE_HOST: 'b.example' }],
    [false, { PUBLIC_URL: 'http://b.example' }],
  ])('Browsers are told to come by TLS alone: %s with %j.', (expected, env) => {
    const tls = { TLS_CERT: files.tlsCert, TLS_KEY: files.tlsKey };
    expect(isStrict(readConfig({ NODE_ROLE: 'true', ...tls, ...env }))).toBe(expected);
    expect(isStrict(readConfig({ NODE_ROLE: 'true', ...env }))).toBe(false);
  });
});
