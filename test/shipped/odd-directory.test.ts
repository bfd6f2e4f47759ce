// What is shipped works in a directory whose name has all that configuration files and shells give a meaning to.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable } from '../../src/system/executables.ts';
import { openShop, type Shop } from './shop.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let place: string;
let shop: Shop;
beforeAll(async () => {
  place = scratchDirectory('odd');
  chmodSync(place, 0o755);
  shop = await openShop({ NODE_DIR: join(place, `it's "ñ" #1`) });
});
afterAll(async () => {
  await shop.close();
});

const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
const programs = {
  redis: ['redis-server', 'small'],
  nats: ['nats-server', 'secure'],
  etcd: ['etcd', 'secure'],
  memcached: ['memcached', 'small'],
  mariadb: ['mariadbd', 'small'],
  search: ['groonga-httpd', 'small'],
  mqtt: ['mosquitto', 'small'],
  beanstalkd: ['beanstalkd', 'small'],
  'log-drain': ['rsyslogd', 'small'],
  'route-gate': ['nginx', 'small'],
  rabbitmq: ['rabbitmq-server', 'secure'],
} as const;

for (const [offering, [program, plan]] of Object.entries(programs)) {
  const run = findExecutable(path, program) === undefined ? test.skip : test;
  run(`${offering} is made, bound and removed there`, async () => {
    const bought = await shop.buy(offering, plan);
    const { credentials } = await bought.bind();
    expect(credentials['port'] ?? credentials['uri']).toBeDefined();
    await bought.deprovision();
  });
}
