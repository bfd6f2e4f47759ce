import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { expectPrivate, returnWholly } from './privacy.ts';
import { makeDue, servedBy } from './served-certificate.ts';
import { address, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** A route service, used by curl as the router of a platform uses it, before an application that tells what it gets. */

let shop: Shop;
let app: Server;
/** Its route. */
let route: string;
beforeAll(async () => {
  shop = await openShop();
  app = createServer((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  }).listen(0, address);
  await once(app, 'listening');
  route = `${address}:${(app.address() as AddressInfo).port}`;
});
afterAll(async () => {
  app.closeAllConnections();
  app.close();
  await shop.close();
});

describeOffering('route-gate', () => {
  const bindTo = (to: string) => ({ bind_resource: { route: to } });

  test('A request to a bound route goes through, with its method, path, body and the signature of the platform.', async () => {
    const gate = await shop.buy('route-gate', 'small');
    const bound = await gate.bind(bindTo(`${route}/shop`));
    expect(bound.routeServiceUrl).toMatch(/^https:\/\//);
    const { status, text } = await goThrough(bound, `http://${route}/shop/a%20b?c=%2F&d`, [
      '-X',
      'PUT',
      '--data',
      'one tea',
      '-H',
      'Authorization: Bearer of-the-app',
    ]);
    expect(status).toBe(200);
    const got = JSON.parse(text) as { headers: object };
    expect(got).toMatchObject({ method: 'PUT', url: '/shop/a%20b?c=%2F&d', body: 'one tea' });
    expect(got.headers).toMatchObject({
      host: route,
      authorization: 'Bearer of-the-app',
      'x-cf-forwarded-url': `http://${route}/shop/a%20b?c=%2F&d`,
      'x-cf-proxy-signature': 'signature',
      'x-cf-proxy-metadata': 'metadata',
    });
    const bare = await goThrough(bound, `http://${route}`);
    expect(JSON.parse(bare.text)).toMatchObject({ url: '/' });
    expectPrivate(gate);
    await returnWholly(gate, bound.port);
  });

  test('A binding forwards to its own route and to nothing else, and to nothing after its unbind.', async () => {
    const gate = await shop.buy('route-gate', 'small');
    const bindings = [
      await gate.bind(bindTo(route)),
      await gate.bind(bindTo('shop.example.com')),
      await gate.bind(),
    ];
    const [bound, ...others] = bindings as [Bound, Bound, Bound];
    const broker = `http://${address}:${bound.port}`;
    const elsewhere = [
      `${broker}/`,
      `http://${route}@${address}:${bound.port}/`,
      `http://${route}#@${address}/`,
      `http://${address}/`,
      'http://../',
      'file:///etc/passwd',
      `ftp://${route}/`,
    ];
    for (const url of elsewhere) expect(await goThrough(bound, url)).toMatchObject({ status: 403 });
    for (const other of others) {
      expect(await goThrough(other, `http://${route}/`)).toMatchObject({ status: 403 });
    }
    expect(await goThrough(bound, '')).toMatchObject({ status: 400 });
    expect(await goThrough(bound, `http://${route}/`)).toMatchObject({ status: 200 });
    await bound.unbind();
    expect(await goThrough(bound, `http://${route}/`)).toMatchObject({ status: 404 });
    await gate.deprovision();
  });

  test('Requests beyond the limits are answered 429 and 413, and visitors are asked for the login of the gate.', async () => {
    const parameters = { requests_per_second: 1, burst: 3, largest_body_mb: 1 };
    const gate = await shop.buy('route-gate', 'small', parameters);
    const bound = await gate.bind(bindTo(route));
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => (await goThrough(bound, `http://${route}/`)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const large = join(scratchDirectory('large'), 'body');
    writeFileSync(large, Buffer.alloc(1024 * 1024 + 1));
    expect(
      (await gate.update('small', { requests_per_second: 10_000, burst: 1000, login: true })).status,
    ).toBe(200);
    const visit = (...more: readonly string[]) => goThrough(bound, `http://${route}/`, more);
    expect(await visit()).toMatchObject({ status: 401 });
    expect(await visit('-u', 'visitor:a-guess')).toMatchObject({ status: 401 });
    const login = ['-u', `visitor:${bound.credentials['password']}`];
    const { text } = await visit(...login);
    expect(Object.keys((JSON.parse(text) as { headers: object }).headers)).not.toContain('authorization');
    expect(await visit(...login, '--data-binary', `@${large}`)).toMatchObject({ status: 413 });
    await gate.deprovision();
  });

  test('The certificate of a gate is of the broker, and another one is shown when its time has come, by the same nginx.', async () => {
    const gate = await shop.buy('route-gate', 'small');
    const bound = await gate.bind(bindTo(route));
    expect(new X509Certificate(bound.credentials['ca'] ?? '').subject).toContain('Purveyor authority');
    const pidOf = async () => (await gate.details()).units[0]?.pid;
    const pid = await until('its unit has been looked at', pidOf, 60_000);
    const first = await servedBy(bound);
    expect(first).toBeDefined();
    makeDue(gate);
    const isServed = async () => ![first, undefined].includes(await servedBy(bound));
    await until('another certificate is shown', isServed, 60_000);
    expect(await pidOf()).toBe(pid);
    expect(await goThrough(bound, `http://${route}/`)).toMatchObject({ status: 200 });
    await gate.deprovision();
  });

  test('A gate from before is upgraded: it goes on with its own certificate, which new bindings are told beside the authority.', async () => {
    const folder = scratchDirectory('catalog');
    cpSync(join(import.meta.dirname, 'before'), folder, { recursive: true });
    chmodSync(folder, 0o755);
    const before = await openShop({ CATALOG_DIR: folder });
    try {
      const gate = await before.buy('route-gate', 'small');
      const old = await gate.bind(bindTo(route));
      for (const part of ['route-gate.yaml', 'hooks/route-gate'])
        cpSync(join('catalog', part), join(folder, part), { recursive: true, force: true });
      const isRead = async () => JSON.stringify((await before.operator('instances?drifted=true')).body);
      await until('the catalog is read again', async () => (await isRead()).includes(gate.id), 60_000);
      const path = `/operator/instances/${gate.id}/actions/upgrade`;
      const login = `operator:${operatorPassword}`;
      await before.broker.ask('post', path, { login, body: {} });
      const isEnded = async () => {
        const { state, operations } = await gate.details();
        return state === 'ready' && operations[0]?.kind === 'update' && operations[0].state === 'succeeded';
      };
      await until('it is upgraded', isEnded, 60_000);
      const young = await gate.bind(bindTo(route));
      const told = (young.credentials['ca'] ?? '').split(/(?<=-----END CERTIFICATE-----\n)/);
      expect(told[0]?.trim()).toBe(old.credentials['ca']?.trim());
      expect(new X509Certificate(told[1] ?? '').subject).toContain('Purveyor authority');
      for (const bound of [old, young])
        expect(await goThrough(bound, `http://${route}/`)).toMatchObject({ status: 200 });
      await gate.deprovision();
    } finally {
      await before.close();
    }
  });
});

/** Sends a request to the route service as a router does, over TLS that is verified. */
async function goThrough(
  { routeServiceUrl = '', credentials }: Bound,
  url: string,
  more: readonly string[] = [],
): Promise<{ readonly status: number; readonly text: string }> {
  const authority = join(scratchDirectory('ca'), 'ca.pem');
  writeFileSync(authority, credentials['ca'] ?? '');
  const headers = [`X-CF-Forwarded-Url${url === '' ? ';' : `: ${url}`}`, 'X-CF-Proxy-Signature: signature'];
  const { stdout } = await promisify(execFile)('curl', [
    '-sS',
    '--max-time',
    '60',
    '--cacert',
    authority,
    '-w',
    '\n%{http_code}',
    ...[...headers, 'X-CF-Proxy-Metadata: metadata'].flatMap((header) => ['-H', header]),
    ...more,
    routeServiceUrl,
  ]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}
