import type { Holding } from '../market.ts';
import { askEtcd, type EtcdCall, getKey, putKey } from '../../support/etcd-client.ts';
import { type Attack, type Attacks, tryEach } from './attack.ts';

/** Asks with the login of `as` at the address of `at`: a line for each answer. */
async function ask(as: Holding, calls: readonly EtcdCall[], at = as): Promise<string> {
  const { username, password } = as.credentials;
  return (await askEtcd({ endpoint: endpointOf(at), username, password }, calls)).join('\n');
}

function endpointOf({ credentials: { endpoint = '' } }: Holding): string {
  return endpoint;
}

function refuses(to: string, ...calls: readonly EtcdCall[]): Attack {
  return { to, try: ({ mine }) => ask(mine, calls), refusal: every(calls.length, 'permission denied') };
}

/** So many lines that each say so. */
function every(count: number, words: string): RegExp {
  return new RegExp(`^(?:[^\\n]*(?:${words})[^\\n]*(?:\\n|$)){${count}}$`);
}

export const etcd: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const answer = await ask(holding, [putKey('secret', secret), getKey('secret')]);
    if (!answer.includes(Buffer.from(secret).toString('base64'))) throw new Error(answer);
  },
  attacks: [
    refuses(
      'change users',
      ['/v3/auth/user/add', { name: 'mine', password: 'mine' }],
      ['/v3/auth/user/changepw', { name: 'root', password: 'mine' }],
      ['/v3/auth/user/delete', { name: 'root' }],
      ['/v3/auth/user/grant', { user: 'app', role: 'root' }],
      ['/v3/auth/role/add', { name: 'mine' }],
      ['/v3/auth/role/delete', { role: 'app' }],
      ['/v3/auth/disable', {}],
    ),
    refuses(
      'see other users',
      ['/v3/auth/user/list', {}],
      ['/v3/auth/user/get', { name: 'root' }],
      ['/v3/auth/role/list', {}],
    ),
    refuses(
      'make it one server of a cluster',
      ['/v3/cluster/member/add', { peerURLs: ['http://127.0.0.1:1'] }],
      ['/v3/cluster/member/update', { ID: '1', peerURLs: ['http://127.0.0.1:1'] }],
      ['/v3/cluster/member/remove', { ID: '1' }],
    ),
    refuses(
      'copy the whole server or hold it up',
      ['/v3/maintenance/snapshot', {}],
      ['/v3/maintenance/defragment', {}],
    ),
    {
      to: 'let the login of a binding into the instance of a neighbour',
      try: ({ mine, neighbour }) => ask(mine, [getKey('secret')], neighbour),
      refusal: /invalid user ID or password/,
    },
    {
      to: 'let in who has no login',
      try: async ({ neighbour }) => {
        const all = [getKey('secret'), putKey('secret', 'x'), ['/v3/auth/disable', {}]] as const;
        return (await askEtcd({ endpoint: endpointOf(neighbour) }, all)).join('\n');
      },
      refusal: every(3, 'user name is empty'),
    },
    {
      to: 'let in the administrator by a guess',
      try: ({ neighbour }) =>
        tryEach(['', 'root', 'x'], (password) =>
          askEtcd({ endpoint: endpointOf(neighbour), username: 'root', password }, [getKey('secret')]),
        ),
      refusal: /(?:[^]*invalid user ID or password){3}/,
    },
    {
      to: 'speak with what takes itself for a server of its cluster, or by the second version of its API',
      try: ({ neighbour }) =>
        tryEach(
          ['/members', '/raft', '/raft/probing', '/v2/keys', '/v2/members', '/debug/pprof/heap'],
          (path) => fetch(`${endpointOf(neighbour)}${path}`).then(({ status }) => `status ${status}`),
        ),
      refusal: every(6, 'status 404'),
    },
  ],
};
