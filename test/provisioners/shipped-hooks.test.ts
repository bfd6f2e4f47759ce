import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
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

const hasRabbitmq = existsSync('/usr/lib/rabbitmq/bin/rabbitmqctl');

(hasRabbitmq ? test : test.skip)(
  'A user that rabbitmq/unbind cannot ask about counts as not removed, and no epmd is left (needs rabbitmq-server).',
  async () => {
    const env = {
      HOME: place,
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
  60_000,
);
