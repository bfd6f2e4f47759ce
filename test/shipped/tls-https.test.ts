import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { makeDue, markOf, servedBy } from './served-certificate.ts';
import { type Bound, openShop } from './shop.ts';

/** A web server in TLS that reads its certificate for each connection. */
const offering = `
id: 5f0b7c1d-2e64-4a39-9b7a-3d1e8f6c2b70
name: page
description: Tells by HTTPS that it is well
provisioner: process
plans:
  - { id: 5f0b7c1d-2e64-4a39-9b7a-3d1e8f6c2b71, name: secure, description: In TLS, tls: true }
config:
  ports: [main]
  files:
    server.mjs: |
      import { readFileSync } from 'node:fs';
      import { createServer } from 'node:https';
      const [host, port, file] = process.argv.slice(2);
      let before;
      const server = createServer((request, response) => {
        response.statusCode = request.url === '/health' && request.headers.token === 'known' ? 204 : 404;
        response.end();
      });
      const read = () => {
        const pem = readFileSync(file, 'utf8');
        if (pem !== before) server.setSecureContext({ cert: pem, key: pem });
        before = pem;
      };
      read();
      server.on('connection', () => read());
      server.listen(Number(port), host);
  processes:
    page:
      run: ['${process.execPath}', '{{dir.conf}}/server.mjs', '{{node.bind}}', '{{ports.main}}', '{{tls.cert}}']
      ready: { port: main, http: /health, status: 204, headers: { token: known } }
      renewal: none
credentials: { host: '{{node.host}}', port: '{{ports.main}}', uri: 'http://{{node.host}}:{{ports.main}}/health' }
`;

test('A page by HTTPS tells that a service is ready; a program that looks by itself is left alone at a renewal.', async () => {
  const catalog = scratchDirectory('catalog');
  writeFileSync(join(catalog, 'page.yaml'), offering);
  const shop = await openShop({ CATALOG_DIR: catalog });
  try {
    const bought = await shop.buy('page', 'secure');
    const bound = await bought.bind();
    expect(await statusOf(bound)).toBe(204);
    const pidOf = async () => (await bought.details()).units[0]?.pid;
    const pid = await until('its unit has been looked at', pidOf);
    const first = await servedBy(bound);
    expect(first).toBeDefined();
    makeDue(bought);
    await until('another one is served', async () => ![first, undefined].includes(await servedBy(bound)));
    await until('it counts as read', () => {
      const { serial, loaded } = markOf(bought).value as { serial: string; loaded: Record<string, string> };
      return loaded['page'] === serial;
    });
    expect(await pidOf()).toBe(pid);
    expect((await bought.details()).operations.map(({ kind }) => kind)).not.toContain('restart');
    await bought.deprovision();
  } finally {
    await shop.close();
  }
});

async function statusOf({ credentials }: Bound): Promise<number | undefined> {
  const { uri = '', ca } = credentials;
  expect(uri).toMatch(/^https:/);
  const request = get(uri, { ca, headers: { token: 'known' }, agent: false });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode?: number }];
  response.resume();
  return response.statusCode;
}
