import { connect } from 'node:net';
import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

/** Logs in as the text protocol has it, says these lines, and gives all that is answered within the moment. */
function say(as: Holding, lines: readonly string[], at = as): Promise<string> {
  const { host = '', username, password } = as.credentials;
  const login = `${username} ${password}`;
  const said = [`set login 0 0 ${login.length}`, login, ...lines, 'mn', ''].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: at.port }, () => socket.write(said));
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
      if (/^(?:MN|CLIENT_ERROR unauthenticated)\r\n/m.test(answer)) socket.destroy();
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

export const memcached: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const answer = await say(holding, [`set secret 0 0 ${secret.length}`, secret, 'get secret']);
    if (!answer.includes(secret)) throw new Error(answer);
  },
  attacks: [
    {
      to: 'let the login of a binding into the instance of a neighbour',
      try: ({ mine, neighbour }) => say(mine, ['get secret', 'lru_crawler metadump all'], neighbour),
      refusal: /CLIENT_ERROR/,
    },
    {
      to: 'let in who has no login',
      try: ({ neighbour }) =>
        tryEach(['', 'x'], (password) =>
          say({ ...neighbour, credentials: { ...neighbour.credentials, password } }, ['get secret']),
        ),
      refusal: /CLIENT_ERROR[^]*CLIENT_ERROR/,
    },
    {
      to: 'end the server',
      try: ({ mine }) => say(mine, ['shutdown', 'shutdown graceful']),
      refusal: /ERROR: shutdown not enabled/,
    },
    {
      to: 'tell what is not in its own cache',
      try: ({ mine }) =>
        say(mine, ['get secret', 'stats settings', 'stats conns', 'lru_crawler metadump all']),
      refusal: /END/,
    },
  ],
};
