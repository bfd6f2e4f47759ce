import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';

/** Debian's redis-server, which the shipped offering runs. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** What an application does with the environment that a redis gave it: sets a key and gets it again. */
export async function talksToRedis(env: Readonly<Record<string, string>>): Promise<boolean> {
  const { REDIS_HOST = '', REDIS_PORT = '', REDIS_USERNAME = '', REDIS_PASSWORD = '' } = env;
  const answer = await exchange(REDIS_HOST, Number(REDIS_PORT), [
    `AUTH ${REDIS_USERNAME} ${REDIS_PASSWORD}`,
    'SET greeting hello',
    'GET greeting',
    'QUIT',
  ]);
  return answer.startsWith('+OK\r\n+OK\r\n$5\r\nhello\r\n');
}

/** All that comes back until it hangs up; nothing when it cannot be reached. */
function exchange(host: string, port: number, commands: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = '';
    socket.on('data', (part) => (answer += part.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(answer));
    socket.write(commands.map((command) => `${command}\r\n`).join(''));
  });
}
