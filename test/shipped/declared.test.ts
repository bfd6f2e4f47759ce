import { accessSync, chmodSync, constants, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { loadCatalog } from '../../src/catalog/load.ts';
import { isError } from '../../src/catalog/problem.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { returnWholly } from './privacy.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { address, isInstalled, openShop, type Shop } from './shop.ts';

jest.setTimeout(30_000);

/** What the files declare: the ones that are shipped, one whose program is missing, and one that nobody knew. */

const path = process.env['PATH'] ?? '';
let shop: Shop;
let folder: string;
beforeEach(() => {
  folder = scratchDirectory('declared');
  // Run by root, programs have another user, who must get in.
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await shop?.close();
});

/** A program in the folder, of Node's JavaScript. */
function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(`${file}.mjs`, text);
  writeFileSync(file, `#!/bin/sh\nexec ${process.execPath} ${file}.mjs "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

async function namesOnSale(): Promise<readonly string[]> {
  const { body } = await shop.broker.ask('get', '/v2/catalog');
  return (body as { services: readonly { name: string }[] }).services.map(({ name }) => name);
}

describe('The shipped files', () => {
  const files = globSync('catalog/*.yaml');
  const hooks = globSync('catalog/hooks/*/*');

  test('The shipped files have no errors.', async () => {
    const { problems } = await loadCatalog(['catalog'], shippedTraits());
    expect(problems.filter(isError)).toEqual([]);
  });

  test.each([...files, ...hooks].toSorted())('%s can be read in a minute.', (file) => {
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(100);
  });

  test.each(hooks)('%s can be run, says what it is for, and is used.', (file) => {
    accessSync(file, constants.X_OK);
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/bin\/sh\n# [A-Z]/);
    const [, folderName = '', name = ''] = /hooks\/([^/]+)\/(.+)$/.exec(file) ?? [];
    expect(readFileSync(join('catalog', `${folderName}.yaml`), 'utf8')).toContain(
      `./hooks/${folderName}/${name}]`,
    );
  });
});

describe('elasticsearch', () => {
  const isThere = isInstalled('elasticsearch');
  const testWithout = isThere ? test.skip : test;

  testWithout(
    `S17: is not on sale without its executable, and operators are told why${isThere ? ' (skipped: it is there)' : ''}.`,
    async () => {
      shop = await openShop();
      expect(await namesOnSale()).toContain('echo');
      expect(await namesOnSale()).not.toContain('elasticsearch');
      const { body } = await shop.operator('offerings');
      expect((body as { offerings: object[] }).offerings).toContainEqual(
        expect.objectContaining({
          name: 'elasticsearch',
          on_sale: false,
          hidden: 'The executable elasticsearch was not found on any node.',
        }),
      );
    },
  );

  test('An elasticsearch with a stand-in of that name, which only answers for its health, is on sale and made.', async () => {
    program('elasticsearch', standIn);
    shop = await openShop({ PATH: `${folder}:${path}` });
    const search = await shop.buy('elasticsearch', 'small');
    const { credentials, port } = await search.bind();
    const uri = `http://${address}:${port}`;
    expect(credentials).toEqual({
      host: address,
      hostname: address,
      port,
      name: search.key,
      node_id: shop.node,
      uri,
    });
    const answer = await fetch(`${uri}/_cluster/health`);
    expect(await answer.json()).toEqual({ cluster_name: search.key, status: 'green' });
    await returnWholly(search, port);
  });

  const home = process.env['ELASTICSEARCH_HOME'];
  const testReal = home ? test : test.skip;

  testReal(
    `A20: the real one finds what was put into it${home ? '' : ' (skipped: no Elasticsearch, ELASTICSEARCH_HOME is not set)'}.`,
    async () => {
      shop = await openShop({ PATH: `${home}/bin:${path}` });
      const search = await shop.buy('elasticsearch', 'small');
      const { credentials, port } = await search.bind();
      const ask = async (what: string, method: string, body: object) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${credentials['uri']}${what}`, {
          method,
          headers,
          body: JSON.stringify(body),
        });
        return (await answer.json()) as object;
      };
      await ask('/teas/_doc/sencha?refresh=true', 'PUT', { about: 'Green and grassy' });
      expect(await ask('/teas/_search', 'POST', { query: { match: { about: 'green' } } })).toMatchObject({
        hits: { hits: [{ _id: 'sencha' }] },
      });
      await returnWholly(search, port);
    },
    180_000,
  );
});

const standIn = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const text = readFileSync(process.env.ES_PATH_CONF + '/elasticsearch.yml', 'utf8');
const setting = (name) => text.split('\\n').find((line) => line.startsWith(name + ': ')).slice(name.length + 2);
const health = JSON.stringify({ cluster_name: setting('cluster.name'), status: 'green' });
createServer(({ url }, response) => {
  response.statusCode = url === '/_cluster/health' ? 200 : 404;
  response.end(url === '/_cluster/health' ? health : '{}');
}).listen(Number(setting('http.port')), setting('network.host'));
`;

test('A1: A file that is put into the catalog while the broker runs is a service, without a line of code.', async () => {
  shop = await openShop({ CATALOG_DIR: `catalog:${folder}` });
  expect(await namesOnSale()).not.toContain('reverser');
  const run = program('reverser', reverser);
  writeFileSync(join(folder, 'reverser.yaml'), reverserFile(run));
  await until('the reverser is on sale', async () => (await namesOnSale()).includes('reverser'));
  const bought = await shop.buy('reverser', 'small');
  const { credentials, port } = await bought.bind();
  const reversed = async (text: string) =>
    (await fetch(`${credentials['uri']}`, { method: 'POST', body: text })).text();
  expect(await reversed('stressed')).toBe('desserts');
  expect((await bought.update('large')).status).toBe(200);
  expect(await reversed('stressed')).toBe('DESSERTS');
  await returnWholly(bought, port);
});

const reverser = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const { host, port, token, loud } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
createServer(async (request, response) => {
  if (request.method === 'GET') return response.end('ready');
  if (request.url !== '/' + token) return response.writeHead(403).end();
  const text = (await request.toArray()).join('').split('').reverse().join('');
  response.end(loud ? text.toUpperCase() : text);
}).listen(port, host);
`;

const reverserFile = (run: string) => `
id: 5d0c3d2c-86a1-4a3d-9d63-5f6f3f1b7a10
name: reverser
description: Texts, turned round
plan_updateable: true
provisioner: process
plans:
  - { id: 5d0c3d2c-86a1-4a3d-9d63-5f6f3f1b7a11, name: small, description: In small letters, with: { loud: false } }
  - { id: 5d0c3d2c-86a1-4a3d-9d63-5f6f3f1b7a12, name: large, description: In large letters, with: { loud: true } }
secrets:
  token: { length: 20 }
config:
  ports: [main]
  files:
    settings.json: |
      { "host": "{{node.bind}}", "port": {{ports.main}}, "token": "{{secrets.token}}", "loud": {{plan.loud}} }
  processes:
    reverser: { run: [${run}, "{{dir.conf}}/settings.json"], ready: { port: main, http: / } }
credentials:
  uri: "http://{{node.host}}:{{ports.main}}/{{secrets.token}}"
  port: "{{ports.main}}"
`;
