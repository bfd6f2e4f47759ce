import { request } from 'node:https';
import type { Holding } from '../market.ts';
import { type Attacks, textOf, tryEach } from './attack.ts';

/** Asks the gate of `at` to forward to this address, by the token of `as` or by another path. */
function forward(as: Holding, to: string, at = as, path?: string): Promise<string> {
  const { host, ca, uri = '' } = at.credentials;
  const headers = to === '' ? {} : { 'x-cf-forwarded-url': to };
  const token = new URL(as.credentials['uri'] ?? uri).pathname;
  return new Promise((resolve, reject) => {
    const asked = request({ host, port: at.port, path: path ?? token, ca, headers }, (answer) => {
      let text = `${answer.statusCode}: `;
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
}

export const routeGate: Attacks = {
  plan: 'small',
  // It keeps nothing of what goes through.
  async plant(holding) {
    const answer = await forward(holding, '');
    if (!answer.includes('X-CF-Forwarded-Url is missing')) throw new Error(answer);
  },
  attacks: [
    {
      to: 'let the token of a binding into the gate of a neighbour',
      try: ({ mine, neighbour }) => forward(mine, '', neighbour),
      refusal: /^404/,
    },
    {
      to: 'reach what is not the route of the binding: neighbours, the machine, files',
      try: ({ mine, neighbour: { credentials, port }, paths }) =>
        tryEach(
          [
            `https://${credentials['host']}:${port}/`,
            'http://127.0.0.1/',
            'http://localhost:22/',
            'http://[::1]/',
            'http://../',
            'http://unix:../conf/nginx.conf',
            ...paths.map((path) => `file://${path}`),
          ],
          (to) => forward(mine, to),
        ).then((had) =>
          had
            .filter((one) => !textOf(one).startsWith('403: '))
            .map(textOf)
            .concat('and no more'),
        ),
      refusal: /^and no more$/,
    },
    {
      to: 'serve files or take another directory for a binding',
      try: ({ mine }) =>
        tryEach(
          ['/', '/bindings', '/..%2fkey.pem', '/../data/key.pem', `/${'a'.repeat(32)}`, '/visitors'],
          (path) => forward(mine, 'http://127.0.0.1/', mine, path),
        ),
      refusal: /^(?:40[04][^]*){6}$/,
    },
  ],
};
