import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '../../support/until.ts';
import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

/** What is answered at this path of `at` to the login of `as`. */
async function read(as: Holding, path = '/current', at = as, method = 'GET'): Promise<string> {
  const { username, password } = as.credentials;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await fetch(`http://${at.credentials['host']}:${at.port}${path}`, {
    method,
    headers: { authorization },
  });
  return `${answer.status}: ${await answer.text()}`;
}

async function log({ credentials }: Holding, words: string): Promise<void> {
  const message = `<14>1 - - - - - - ${words}`;
  const socket = connect({ host: credentials['host'] ?? '', port: Number(credentials['syslog_port']) });
  socket.end(`${message.length} ${message}`);
  await once(socket, 'close');
}

/** It takes lines of whom it can be reached by, as its description says; reading is for who has a login. */
export const logDrain: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    await log(holding, secret);
    await until('the log has it', async () => (await read(holding)).includes(secret), 60_000);
  },
  attacks: [
    {
      to: 'let the login of a binding read the log of a neighbour',
      try: ({ mine, neighbour }) => tryEach(['/current', '/before'], (path) => read(mine, path, neighbour)),
      refusal: /401[^]*401/,
    },
    {
      to: 'serve any other file',
      try: ({ mine, paths }) =>
        tryEach(
          [
            ...paths,
            '/../users/',
            '/..%2fusers%2f',
            '/current/..%2f..%2fusers',
            '/%2e%2e/conf/nginx.conf',
            '/',
          ],
          (path) => read(mine, path),
        ),
      refusal: /^(?:(?:400|404)[^]*)+$/,
    },
    {
      to: 'change or remove what was logged',
      try: ({ mine }) => tryEach(['PUT', 'DELETE', 'POST'], (method) => read(mine, '/current', mine, method)),
      refusal: /^(?:40[135])[^]*40[135][^]*40[135]/,
    },
    {
      to: 'write elsewhere, whatever a line says',
      async try({ mine }) {
        const words = '$ModLoad omprog $(id) %fromhost-ip% `id` ; action(type="omfile" file="/tmp/x")';
        await log(mine, words);
        let text = '';
        await until('the log has it', async () => (text = await read(mine)).includes('omprog'), 60_000);
        return text;
      },
      refusal: /\$ModLoad omprog \$\(id\) %fromhost-ip% `id` ; action/,
    },
  ],
};
