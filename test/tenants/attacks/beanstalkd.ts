import { connect } from 'node:net';
import type { Holding } from '../market.ts';
import type { Attacks } from './attack.ts';

/** Says these lines, and gives what is answered until the server hangs up or has been silent for a second. */
function say({ credentials: { host = '' }, port }: Holding, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write([...lines, ''].join('\r\n')));
    let answer = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

/** It knows no login, as its description says: a neighbour who can reach the port is let in, and none of these is that. */
export const beanstalkd: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const answer = await say(holding, [`put 0 0 60 ${secret.length}`, secret, 'peek-ready', 'quit']);
    if (!answer.includes(secret)) throw new Error(answer);
  },
  attacks: [
    {
      to: 'tell the jobs of a neighbour at its own port',
      try: ({ mine }) => say(mine, ['peek 2', 'peek 3', 'stats-job 2', 'list-tubes', 'quit']),
      refusal: /^(?:NOT_FOUND\r\n){3}OK/,
    },
    {
      to: 'be ended, or told where to write',
      try: ({ mine }) => say(mine, ['shutdown', 'config', 'drain', 'stats', 'quit']),
      refusal: /^(?:UNKNOWN_COMMAND\r\n){3}OK/,
    },
    {
      to: 'read a file',
      try: ({ mine, paths }) => say(mine, [...paths.map((path) => `use ${path}`), 'peek-ready', 'quit']),
      refusal: /NOT_FOUND|BAD_FORMAT/,
    },
  ],
};
