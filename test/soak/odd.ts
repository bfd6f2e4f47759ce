// Requests that are refused, which leave nothing behind either.
import type { Chance } from '../fuzz/random.ts';

const login = `Basic ${Buffer.from('broker:of-the-platform').toString('base64')}`;
const version = { 'x-broker-api-version': '2.17' };

const odd: readonly (readonly [path: string, init: RequestInit])[] = [
  ['/v2/catalog', { headers: version }],
  ['/v2/catalog', { headers: { authorization: login, 'x-broker-api-version': '1.0' } }],
  ['/v2/nothing', { headers: { authorization: login, ...version } }],
  ['/v2/service_instances/none', { headers: { authorization: login, ...version } }],
  [
    '/v2/service_instances/none',
    { method: 'PUT', body: '{"service_id":', headers: { authorization: login, ...version } },
  ],
  [
    '/v2/service_instances/none',
    { method: 'PUT', body: '{"service_id":"none"}', headers: { authorization: login, ...version } },
  ],
  ['/v2/service_instances/none', { method: 'DELETE', headers: { authorization: login, ...version } }],
  [
    '/tsuru/echoes/resources/none',
    { headers: { authorization: `Basic ${Buffer.from('echoes:of-tsuru').toString('base64')}` } },
  ],
  ['/dashboard/none', {}],
  ['/operator/instances', {}],
];

/** One of them now and then. @returns how many were sent */
export async function ifOdd(url: string, chance: Chance): Promise<number> {
  if (!chance.once(3)) return 0;
  const [path, init] = chance.of(odd);
  const answer = await fetch(url + path, init);
  await answer.arrayBuffer();
  if (answer.status < 400 || answer.status >= 500)
    throw new Error(`${path} was answered with ${answer.status}.`);
  return 1;
}
