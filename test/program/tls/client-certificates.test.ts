import { renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { Finding } from '../../../src/catalog/problem.ts';
import { certificateIn, checkCertificates } from '../../../src/program/principals/certificate-rule.ts';
import { readPrincipals } from '../../../src/program/principals/read.ts';
import { createAuthority, describeTls, type Authority, type MadePair } from '../../support/certificates.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import {
  operatorPassword,
  startWholeBroker,
  testPassword,
  type WholeBroker,
} from '../../support/whole-broker.ts';

/** Platforms and operators that log in by certificates, over real connections. */

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Asked {
  readonly pair?: MadePair;
  readonly agent?: Agent;
  readonly login?: string;
}

describeTls('A broker with TLS_CLIENT_CA', () => {
  const place = scratchDirectory('client-certificates');
  const at = (name: string) => join(place, name);
  const [principals, clientCa] = [at('principals.json'), at('client-ca.pem')];
  let server: Authority;
  let clients: Authority;
  let strangers: Authority;
  let platform: MadePair;
  let operator: MadePair;
  let database: TestDatabase;
  let broker: WholeBroker;

  beforeAll(async () => {
    [server, clients, strangers] = [
      createAuthority(),
      createAuthority('Clients'),
      createAuthority('Strangers'),
    ];
    platform = clients.issue(90, 'DNS:cc.example.com,URI:spiffe://acme/cc');
    operator = clients.issue(90, 'DNS:ops.example.com');
    put(principals, JSON.stringify(everybody));
    put(clientCa, clients.cert);
    const { certFile, keyFile } = server.issue();
    database = await openTestDatabase();
    broker = await startWholeBroker(database, {
      TLS_CERT: certFile,
      TLS_KEY: keyFile,
      TLS_CLIENT_CA: clientCa,
      PRINCIPALS_FILE: principals,
      BROKER_CA: server.certFile,
    });
  });
  afterAll(async () => {
    await broker.stop();
    await database.close();
  });

  const cc = { name: 'acme', certificate: { san: 'URI:spiffe://acme/cc', subject: 'CN=test' } };
  const ops = { username: 'ops', role: 'viewer', certificate: { san: 'DNS:ops.example.com' } };
  const everybody = { platforms: [cc], operators: [ops] };

  function put(file: string, text: string): void {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  function ask(path: string, { pair, agent, login }: Asked = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const own = { ca: server.cert, cert: pair?.cert, key: pair?.key, agent: agent ?? false };
    const auth = login === undefined ? {} : { auth: login };
    const headers = { 'x-broker-api-version': '2.17' };
    request(`${broker.url}${path}`, { ...own, ...auth, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    })
      .on('error', reject)
      .end();
    return promise;
  }

  async function untilStatus(status: number, path: string, asked: Asked): Promise<void> {
    await until(`${path} is answered ${status}`, async () => {
      const answer = await ask(path, asked);
      return answer.status === status || undefined;
    });
  }

  function failed(text: string): Promise<readonly object[]> {
    return until('it stands in the audit trail', async () => {
      const { rows } = await database.pool.query<{ object_id: string }>(
        "select object_id from audit_trail where verb = 'login' and outcome = 'refused'",
      );
      const found = rows.filter((row) => row.object_id.includes(text));
      return found.length > 0 ? found : undefined;
    });
  }

  test('A certificate lets in the platform or the operator it is of, as far as that may go, and nobody needs one.', async () => {
    const seen = await Promise.all([
      ask('/v2/catalog', { pair: platform }),
      ask('/operator/nodes', { pair: operator }),
      ask('/metrics', { pair: operator }),
      ask('/operator/nodes', { pair: platform }),
      ask('/v2/catalog', { pair: operator }),
      ask('/v2/catalog', { login: `broker:${testPassword}` }),
      ask('/v2/catalog', { login: `broker:${testPassword}`, pair: strangers.issue() }),
      ask('/v2/catalog'),
      ask('/healthz'),
      ask('/healthz', { pair: strangers.issue() }),
    ]);
    expect(seen.map(({ status }) => status)).toEqual([200, 200, 200, 401, 401, 200, 200, 401, 200, 200]);
    expect(seen[3]?.body).toContain('The client certificate is of nobody who may log in here.');
    expect(broker.output()).toContain('"principal":"acme"');
  });

  test('A certificate of an authority that is not trusted is refused with the reason, in the log and in the audit trail.', async () => {
    const foreign = strangers.issue(90, 'URI:spiffe://acme/cc');
    const { status, body } = await ask('/v2/catalog', { pair: foreign });
    expect({ status, body }).toMatchObject({
      status: 401,
      body: expect.stringContaining(
        'The client certificate is not signed by an authority that is trusted here.',
      ),
    });
    expect(await failed('certificate CN=test')).not.toEqual([]);
    expect(broker.output()).toMatch(/"certificate CN=test"/);
    // A password with it is what counts.
    expect(
      (await ask('/operator/nodes', { pair: foreign, login: `operator:${operatorPassword}` })).status,
    ).toBe(200);
  });

  test('A certificate that has expired is refused, and so is one that expires on an open connection.', async () => {
    const { status, body } = await ask('/v2/catalog', { pair: clients.issue(0, 'URI:spiffe://acme/cc') });
    expect({ status, body }).toMatchObject({ status: 401, body: expect.stringContaining('has expired') });
  });

  test('Who is taken out of PRINCIPALS_FILE, or whose authority out of TLS_CLIENT_CA, is refused on open connections too.', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const open = { pair: platform, agent };
    try {
      expect((await ask('/v2/catalog', open)).status).toBe(200);
      put(principals, JSON.stringify({ operators: [ops] }));
      await untilStatus(401, '/v2/catalog', open);
      put(principals, JSON.stringify(everybody));
      await untilStatus(200, '/v2/catalog', open);
      put(clientCa, strangers.cert);
      await untilStatus(401, '/v2/catalog', open);
      expect((await ask('/v2/catalog', { pair: strangers.issue(90, 'URI:spiffe://acme/cc') })).status).toBe(
        200,
      );
      put(clientCa, `${clients.cert}\n${strangers.cert}`);
      await untilStatus(200, '/v2/catalog', open);
      put(clientCa, 'nothing');
      await until('it is told', () => broker.output().includes('holds no certificate') || undefined);
      expect((await ask('/v2/catalog', open)).status).toBe(200);
      expect(broker.output()).toContain('client authorities loaded');
    } finally {
      agent.destroy();
      put(clientCa, clients.cert);
    }
  });
});

test.each<[what: string, certificate: unknown, sentence: RegExp]>([
  ['no rule', {}, /must say subject or san/],
  ['a subject that is none', { subject: 'cloud-controller' }, /CN=cloud-controller,O=acme/],
  ['a name without its kind', { san: 'cc.example.com' }, /DNS:, URI:, email: or IP:/],
  ['an unknown key', { san: 'DNS:a', issuer: 'b' }, /no such key/],
])('A principal whose certificate has %s is refused with a sentence', (_what, certificate, sentence) => {
  const text = JSON.stringify({ platforms: [{ name: 'acme', certificate }] });
  const { principals, problems } = readPrincipals('p.json', Buffer.from(text), {
    platforms: [],
    operators: [],
  });
  expect(principals).toBeUndefined();
  expect(JSON.stringify(problems)).toMatch(sentence);
});

test.each([
  ['CN=cc,O=acme', 'O=acme\nCN=cc', true],
  ['CN=cc, O=acme', 'CN=cc\nO=acme', true],
  ['CN=cc', 'CN=cc\nO=acme', false],
  ['CN=a\\,b', 'CN=a,b', true],
  ['CN=a,O=b', 'CN=a,O=b', false],
])('The subject %s is held against all attributes of a certificate', (subject, shown, fits) => {
  const found: Finding[] = [];
  const rule = certificateIn({ certificate: { subject } }, 'p', found);
  expect(found).toEqual([]);
  const check = checkCertificates(rule ? [{ username: 'u', rule }] : []);
  expect(check({ subject: shown, names: '' })?.name).toBe(fits ? 'u' : undefined);
});

test('A name of a certificate that only looks like several names is one.', () => {
  const check = checkCertificates([{ username: 'u', rule: { san: 'DNS:cc' } }]);
  expect(check({ subject: '', names: 'URI:"http://x, DNS:cc"' })).toBeUndefined();
  expect(check({ subject: '', names: 'URI:http://x, DNS:cc' })?.name).toBe('u');
});
