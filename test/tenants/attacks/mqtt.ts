import type { Holding } from '../market.ts';
import { runMosquitto } from '../../support/mosquitto-client.ts';
import { type Attacks, tryEach } from './attack.ts';

const control = '$CONTROL/dynamic-security/v1';

/** Runs a client with the login of `as` at the port of `at`. */
function run(client: 'pub' | 'rr' | 'sub', as: Holding, args: readonly string[], at = as): Promise<string> {
  const { host, username, password } = as.credentials;
  return runMosquitto(client, { host, username, password, port: at.port }, args);
}

/** Gives this order to the server, and what it answers. */
const order = (as: Holding, command: string) =>
  run('rr', as, ['-W', '2', '-t', control, '-e', `${control}/response`, '-m', `{"commands":[${command}]}`]);

/** Reads what is kept at this topic. */
const read = (as: Holding, topic: string, at = as) =>
  run('sub', as, ['-q', '1', '-C', '1', '-W', '10', '-t', topic], at);

export const mqtt: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    await run('pub', holding, ['-q', '1', '-r', '-t', 'secret', '-m', secret]);
    if ((await read(holding, 'secret')) !== secret) throw new Error('It was not kept.');
  },
  attacks: [
    {
      to: 'let the login of a binding into the server of a neighbour',
      try: ({ mine, neighbour }) => read(mine, 'secret', neighbour),
      refusal: /not authori[sz]ed/i,
    },
    {
      to: 'let in who has no login',
      try: ({ neighbour: { credentials, port } }) =>
        tryEach([undefined, credentials['username'], 'admin'], (username) => {
          const login = { host: credentials['host'], port, username, password: 'a-guess' };
          return runMosquitto('sub', login, ['-C', '1', '-W', '10', '-t', 'secret']);
        }),
      refusal: /not authori[sz]ed[^]*not authori[sz]ed[^]*not authori[sz]ed/i,
    },
    {
      to: 'make, show or change logins for who has one',
      async try({ mine }) {
        const login = '"username":"intruder","password":"intruder"';
        const orders = ['{"command":"listClients","verbose":true}', '{"command":"getDefaultACLAccess"}'];
        const told = await tryEach([...orders, `{"command":"createClient",${login}}`], (one) =>
          order(mine, one),
        );
        const { host } = mine.credentials;
        const intruder = { host, port: mine.port, username: 'intruder', password: 'intruder' };
        return [
          ...told,
          ...(await tryEach(['#'], (topic) => runMosquitto('sub', intruder, ['-C', '1', '-t', topic]))),
        ];
      },
      refusal: /^(?!.*responses)[^]*not authori[sz]ed/i,
    },
    {
      to: 'show what the server is told by others',
      try: ({ mine }) => run('sub', mine, ['-C', '1', '-W', '2', '-t', '$CONTROL/#']),
      refusal: /not authori[sz]ed|denied/i,
    },
  ],
};
