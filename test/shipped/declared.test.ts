import { chmodSync, constants, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadCatalog } from '../../src/catalog/load.ts';
import { isError } from '../../src/catalog/problem.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { returnWholly } from './privacy.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { openShop, type Shop } from './shop.ts';

/** What the files declare: the ones that are shipped, and one that nobody knew, with its program and without. */

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
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(200);
  });

  test.each(hooks.filter(isExecutable))('%s can be run, says what it is for, and is used.', (file) => {
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/(?:bin\/sh|usr\/bin\/(?:perl|python3))\n# [A-Z]/);
    const [, folderName = '', name = ''] = /hooks\/([^/]+)\/(.+)$/.exec(file) ?? [];
    expect(readFileSync(join('catalog', `${folderName}.yaml`), 'utf8')).toContain(
      `./hooks/${folderName}/${name}]`,
    );
  });

  test('The shipped files that are parts of hooks say what they are for, and are used by a hook beside them.', () => {
    for (const file of hooks.filter((one) => !isExecutable(one))) {
      expect(readFileSync(file, 'utf8')).toMatch(/^# [A-Z]/);
      const beside = hooks.filter((one) => dirname(one) === dirname(file) && isExecutable(one));
      expect(beside.map((one) => readFileSync(one, 'utf8')).join('\n')).toContain(`/${basename(file)}"`);
    }
  });
});

function isExecutable(file: string): boolean {
  return (statSync(file).mode & constants.S_IXUSR) !== 0;
}

test('S17: A file whose executable is on no node is not on sale, and operators are told why.', async () => {
  shop = await openShop({ CATALOG_DIR: `catalog:${folder}`, NODE_SANDBOX: 'off' });
  writeFileSync(join(folder, 'reverser.yaml'), reverserFile('/bin/true', '[a-reverser]'));
  const hidden = 'The executable a-reverser was not found on any node.';
  await until('operators are told', async () => {
    const { body } = await shop.operator('offerings');
    const { offerings } = body as {
      offerings: readonly { name: string; on_sale: boolean; hidden?: string }[];
    };
    const told = offerings.find(({ name }) => name === 'reverser');
    return told?.on_sale === false && told.hidden === hidden;
  });
  expect(await namesOnSale()).not.toContain('reverser');
  expect(await namesOnSale()).toContain('echo');
});

test('A1: A file that is put into the catalog while the broker runs is a service, without a line of code.', async () => {
  shop = await openShop({ CATALOG_DIR: `catalog:${folder}`, NODE_SANDBOX: 'off' });
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

const reverserFile = (run: string, needs = '[]') => `
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
  needs: ${needs}
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
