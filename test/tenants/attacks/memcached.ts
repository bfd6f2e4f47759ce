import { connect } from 'node:net';
import type { Holding } from '../market.ts';
import {
  askMemcached,
  memcachedGet,
  type MemcachedRequest,
  memcachedSet,
} from '../../support/memcached-client.ts';
import { type Attacks, tryEach } from './attack.ts';

/** Asks with the login of `as` at the port of `at`: a line for each answer. */
async function ask(as: Holding, requests: readonly MemcachedRequest[], at = as): Promise<string> {
  const { host, username, password } = as.credentials;
  const answers = await askMemcached({ host, port: at.port, username, password }, requests);
  return answers.map(({ status, value }) => `status ${status}: ${value}`).join('\n');
}

/** Says these lines as the text protocol has it, which knows no login here, and gives what is answered until the end. */
function say({ credentials: { host = '' }, port }: Holding, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write([...lines, ''].join('\r\n')));
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.on('close', () => resolve(`${answer}hung up`)).on('error', reject);
  });
}

export const memcached: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const answer = await ask(holding, [memcachedSet('secret', secret), memcachedGet('secret')]);
    if (!answer.includes(secret)) throw new Error(answer);
  },
  attacks: [
    {
      to: 'let the login of a binding into the instance of a neighbour',
      try: ({ mine, neighbour }) => ask(mine, [memcachedGet('secret')], neighbour),
      refusal: /status 32: Auth failure[^]*status 32/,
    },
    {
      to: 'let in who has no login',
      try: ({ neighbour }) =>
        tryEach([undefined, '', 'x'], (password) =>
          askMemcached(
            {
              host: neighbour.credentials['host'],
              port: neighbour.port,
              username: password === undefined ? undefined : neighbour.credentials['username'],
              password,
            },
            [memcachedGet('secret')],
          ),
        ),
      refusal: /"status":32[^]*"status":32[^]*"status":32/,
    },
    {
      to: 'serve or end the server by the text protocol, which asks for no login',
      try: ({ neighbour }) => say(neighbour, ['get secret', 'cache_memlimit 600', 'shutdown']),
      refusal: /^hung up$/,
    },
    {
      to: 'tell what is not in its own cache',
      try: ({ mine }) => ask(mine, [memcachedGet('secret'), { opcode: 0x10, key: 'settings' }]),
      refusal: /status/,
    },
  ],
};
