import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasInEnvironment } from '../../src/system/proc.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** The hooks of the shipped catalog where their broker has died, or what they ask is not there. */

const hooks = join(import.meta.dirname, '../../catalog/hooks');
const path = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
let place: string;

beforeEach(() => {
  place = scratchDirectory('hooks');
});

function run(hook: string, env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve) => {
    const program = execFile(join(hooks, hook), { cwd: place, env: { PATH: path, ...env } });
    program.on('close', (code) => resolve(code ?? -1));
  });
}

test.each([
  ['mariadb', { ADMIN_PASSWORD: 'x' }],
  ['search', {}],
])('What %s/configure has built whole is left as it is when it is called again.', async (name, env) => {
  mkdirSync(join(place, name));
  expect(await run(`${name}/configure`, env)).toBe(0);
  expect(readdirSync(place)).toEqual([name]);
  expect(readdirSync(join(place, name))).toEqual([]);
});

test.each(['bind', 'unbind'])(
  'RabbitMQ that does not answer is asked again later by rabbitmq/%s.',
  async (name) => {
    writeFileSync(join(place, 'rabbitmq.conf'), 'management.tcp.port = 1\n');
    const login = { HOST: '127.0.0.1', ADMIN_PASSWORD: 'x', USER_NAME: 'p1', USER_PASSWORD: 'y' };
    expect(await run(`rabbitmq/${name}`, { CONF: place, ...login })).toBe(75);
  },
);

const hasRabbitmq = existsSync('/usr/lib/rabbitmq/bin/rabbitmqctl');

(hasRabbitmq ? test : test.skip)(
  'A user that rabbitmq/unbind cannot ask about counts as not removed, and no epmd is left (needs rabbitmq-server).',
  async () => {
    writeFileSync(join(place, 'rabbitmq.conf'), 'listeners.tcp.1 = 127.0.0.1:5672\n');
    const env = {
      HOME: place,
      CONF: place,
      HOST: '127.0.0.1',
      ADMIN_PASSWORD: 'x',
      RABBITMQ_NODENAME: 'nobody@localhost',
      DISTRIBUTION_PORT: '1',
      USER_NAME: 'p1',
    };
    expect(await run('rabbitmq/unbind', env)).toBe(75);
    const left = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && hasInEnvironment(Number(pid), `HOME=${place}`),
    );
    expect(left).toEqual([]);
  },
);
