import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

async function say(address: string, message: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify({ message }) });
  return `${answer.status} ${await answer.text()}`;
}

/** The address of the neighbour with the token of mine. */
function swapped(mine: Holding, neighbour: Holding): URL {
  const address = new URL(neighbour.credentials['uri'] ?? '');
  address.search = new URL(mine.credentials['uri'] ?? '').search;
  return address;
}

/** `echo` and `invert`, which are one program. */
export const echo: Attacks = {
  plan: 'large',
  async plant(holding, secret) {
    const answer = await say(holding.credentials['uri'] ?? '', secret);
    if (!answer.startsWith('200 ')) throw new Error(answer);
  },
  attacks: [
    {
      to: 'let the token of a binding into the service of a neighbour',
      try: ({ mine, neighbour }) => say(swapped(mine, neighbour).href, 'x'),
      refusal: /^40[134] /,
    },
    {
      to: 'show the page of a neighbour',
      async try({ mine, neighbour }) {
        const { origin, search } = swapped(mine, neighbour);
        return tryEach(['', `/`, '/..', '%00', '%2e%2e'], async (end) => {
          const answer = await fetch(`${origin}/dashboard/${neighbour.id}${end}${search}`);
          return `${answer.status}`;
        });
      },
      refusal: /^(?:40[0134]\n?){5}$/,
    },
    {
      to: 'hand out files of the broker',
      async try({ mine, paths }) {
        const { origin, pathname, search } = new URL(mine.credentials['uri'] ?? '');
        return tryEach(paths, async (path) => {
          const up = encodeURIComponent(`../../../../../../../..${path}`);
          const answer = await fetch(`${origin}${pathname}/${up}${search}`);
          return `${answer.status} ${await answer.text()}`;
        });
      },
      refusal: /^(?:40[0134] [^\n]*(?:\n|$))+$/,
    },
  ],
};
