import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { makeDue, servedBy } from './served-certificate.ts';
import { openShop } from './shop.ts';

/** A server in TLS that reads its certificate when it starts and at a SIGHUP. */
const offering = `
id: 9d3a6c1e-5b7f-4e21-8a90-1c2d3e4f5a60
name: greeter
description: Greets in TLS
provisioner: process
plans:
  - { id: 9d3a6c1e-5b7f-4e21-8a90-1c2d3e4f5a61, name: secure, description: In TLS, tls: true }
config:
  ports: [main]
  files:
    server.mjs: |
      import { readFileSync } from 'node:fs';
      import { createServer } from 'node:tls';
      const [host, port, file] = process.argv.slice(2);
      const pair = () => ({ cert: readFileSync(file), key: readFileSync(file) });
      const server = createServer(pair(), (socket) => socket.on('error', () => undefined).end('hello'));
      process.on('SIGHUP', () => server.setSecureContext(pair()));
      server.listen(Number(port), host);
  processes:
    greeter:
      run: ['${process.execPath}', '{{dir.conf}}/server.mjs', '{{node.bind}}', '{{ports.main}}', '{{tls.cert}}']
      ready: { port: main, expect: hello }
      renewal: SIGHUP
monitor: { every: 1s }
credentials: { host: '{{node.host}}', port: '{{ports.main}}' }
`;

test('Another authority before its time is told to new bindings first, and then signs what is served.', async () => {
  const shop = await openGreeter();
  const renew = async (signsAfter: number) => {
    const login = `operator:${operatorPassword}`;
    const body = { signs_after: signsAfter };
    const { status, text } = await shop.broker.ask('put', '/operator/authorities/2', { login, body });
    expect([status, text]).toEqual([200, expect.stringContaining('"generation":2')]);
  };
  try {
    const bought = await shop.buy('greeter', 'secure');
    const before = await bought.bind();
    const first = await until('it is served', () => servedBy(before));
    await renew(3_600_000);
    const isTold = async () => {
      const bound = await bought.bind();
      return bound.credentials['ca']?.match(/BEGIN/g)?.length === 2 ? bound : undefined;
    };
    const told = await until('both are told', isTold, 60_000);
    expect(await servedBy(before)).toBe(first);
    await renew(0);
    const isServed = async () => ![first, undefined].includes(await servedBy(told));
    await until('another certificate is served', isServed, 60_000);
    expect(await servedBy(before)).toBeUndefined();
    const young = told.credentials['ca']?.replace(before.credentials['ca'] ?? '', '') ?? '';
    expect(await servedBy({ ...told, credentials: { ...told.credentials, ca: young } })).toBeDefined();
    await bought.deprovision();
  } finally {
    await shop.close();
  }
});

async function openGreeter() {
  const catalog = scratchDirectory('catalog');
  writeFileSync(join(catalog, 'greeter.yaml'), offering);
  return openShop({ CATALOG_DIR: catalog });
}

test('A program that reads certificates at a signal is sent it when its own is replaced, and runs on.', async () => {
  const shop = await openGreeter();
  try {
    const bought = await shop.buy('greeter', 'secure');
    const bound = await bought.bind();
    const pidOf = async () => (await bought.details()).units[0]?.pid;
    const pid = await until('its unit has been looked at', pidOf);
    const first = await servedBy(bound);
    expect(first).toBeDefined();
    makeDue(bought);
    await until('another one is served', async () => ![first, undefined].includes(await servedBy(bound)));
    expect(await pidOf()).toBe(pid);
    expect((await bought.details()).operations.map(({ kind }) => kind)).not.toContain('restart');
    await bought.deprovision();
  } finally {
    await shop.close();
  }
});
