import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { address, describeOffering, openShop } from '../shipped/shop.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';

/** The file as it was when Groonga listened at the port of the instance itself. */
const open = `
id: 8d5e2f10-7c1b-4e0a-9d43-5b2a9c6e7f10
name: search
description: Full-text search
provisioner: process
plans:
  - { id: 8d5e2f10-7c1b-4e0a-9d43-5b2a9c6e7f11, name: small, description: One server, cost: 2 }
parameters: {}
config:
  needs: [groonga]
  ports: [main]
  processes:
    groonga:
      run: [groonga, -s, --protocol, http, --bind-address, '{{node.bind}}', -p, '{{ports.main}}', '{{dir.data}}/search/db']
      ready: { port: main, http: /d/status }
hooks:
  configure: { run: [./hooks/search/configure], once: true }
credentials:
  port: '{{ports.main}}'
`;

describeOffering('search', () => {
  test('Search that was made without a login is closed by an upgrade, which keeps its data.', async () => {
    const folder = scratchDirectory('catalog');
    chmodSync(folder, 0o755);
    cpSync('catalog/hooks', join(folder, 'hooks'), { recursive: true });
    writeFileSync(join(folder, 'search.yaml'), open);
    const shop = await openShop({ CATALOG_DIR: folder });
    try {
      const search = await shop.buy('search', 'small');
      const old = await search.bind();
      const ask = (target: string, login = '') => {
        const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
        return fetch(`http://${address}:${old.port}/d/${target}`, { headers: { authorization } });
      };
      await ask('table_create?name=Kept&flags=TABLE_NO_KEY');
      expect(await (await ask('plugin_register?name=ruby/eval')).text()).toMatch(/true\]$/);
      writeFileSync(join(folder, 'search.yaml'), readFileSync('catalog/search.yaml'));
      const upgrade = `/operator/instances/${search.id}/actions/upgrade`;
      await until('the upgrade is taken', async () => {
        const { body } = await shop.operator('instances?drifted=true');
        return JSON.stringify(body).includes(search.id);
      });
      const login = `operator:${operatorPassword}`;
      const answer = await shop.broker.ask('post', upgrade, { login, body: {} });
      expect([200, 202]).toContain(answer.status);
      await until('nobody gets in without a login', async () =>
        ask('status').then(
          ({ status }) => status === 401,
          () => false,
        ),
      );
      const { username, password } = (await search.bind()).credentials;
      expect(await (await ask('table_list', `${username}:${password}`)).text()).toContain('"Kept"');
      expect((await ask('ruby_eval?script=1', `${username}:${password}`)).status).toBe(404);
      await old.unbind();
      await search.deprovision();
    } finally {
      await shop.close();
    }
  });
});
