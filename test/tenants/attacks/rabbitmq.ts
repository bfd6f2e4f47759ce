import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, type Channel } from 'amqplib';
import { listLaunched } from '../../../src/provisioners/process/units/launched.ts';
import { groupOf } from '../../../src/system/end-process.ts';
import { listeningPorts } from '../../support/listening-ports.ts';
import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

interface Where {
  readonly at?: Holding;
  readonly vhost?: string;
}

/** Does this with the login of `as`; what the server closes for it is an error. */
async function use(
  as: Holding,
  work: (channel: Channel) => Promise<unknown>,
  { at = as, vhost = as.credentials['vhost'] ?? '' }: Where = {},
): Promise<unknown> {
  const { host: hostname = '', username = '', password = '' } = as.credentials;
  const connection = await connect({ protocol: 'amqp', hostname, port: at.port, username, password, vhost });
  // Why the server has closed one of them is told here alone.
  const { promise: closed, reject } = Promise.withResolvers<never>();
  closed.catch(() => undefined);
  connection.on('error', reject).on('close', reject);
  try {
    const channel = await connection.createChannel();
    channel.on('error', reject);
    return await Promise.race([closed, work(channel).catch(() => closed)]);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

export const rabbitmq: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    await use(holding, async (channel) => {
      await channel.assertQueue('secret');
      channel.sendToQueue('secret', Buffer.from(secret));
      const queue = await channel.checkQueue('secret');
      if (queue.queue !== 'secret') throw new Error('It was not kept.');
    });
  },
  attacks: [
    {
      to: 'let the login of a binding into the server of a neighbour',
      try: ({ mine, neighbour }) => use(mine, (channel) => channel.get('secret'), { at: neighbour }),
      refusal: /ACCESS_REFUSED/,
    },
    {
      to: 'open other virtual hosts',
      try: ({ mine }) =>
        tryEach(['other', '/other', '../'], (vhost) => use(mine, (it) => it.checkQueue('secret'), { vhost })),
      refusal: /^(?:[^\n]*(?:NOT_ALLOWED|ConnectionClose)[^\n]*(?:\n|$)){3}$/,
    },
    {
      to: 'forward to other servers, since it has no plugins',
      try: ({ mine }) =>
        tryEach(['x-federation-upstream', 'x-shovel', 'x-consistent-hash', 'x-delayed-message'], (type) =>
          use(mine, (channel) => channel.assertExchange(`an-${type}`, type)),
        ),
      refusal: /(?:(?:COMMAND_INVALID|unknown exchange type)[^]*){4}/i,
    },
    {
      to: 'read its own log, or trace what others say',
      try: ({ mine }) =>
        tryEach(['amq.rabbitmq.log', 'amq.rabbitmq.event'], (exchange) =>
          use(mine, (channel) => channel.checkExchange(exchange)),
        ),
      refusal: /(?:NOT_FOUND|ACCESS_REFUSED)[^]*(?:NOT_FOUND|ACCESS_REFUSED)/,
    },
    {
      to: 'tell or do by HTTP more than the login of a binding may do by AMQP',
      async try({ mine, neighbour }) {
        const { username } = mine.credentials;
        const administrator = { tags: 'administrator', password: 'x' };
        const own = await tryEach(
          [
            ['GET', 'users'],
            ['GET', 'definitions'],
            ['GET', 'nodes'],
            ['GET', 'permissions'],
            ['PUT', `users/${username}`, administrator],
            ['PUT', 'users/more', administrator],
            ['PUT', 'vhosts/more', {}],
            ['PUT', 'parameters/shovel/app/x', { value: { 'src-uri': 'amqp://', 'dest-uri': 'amqp://' } }],
            ['POST', 'definitions', { users: [{ name: username, ...administrator }] }],
          ] as const,
          ([method, path, body]) => askApi(mine, mine, method, path, body),
        );
        return [...own, await askApi(mine, neighbour, 'GET', 'queues/app/secret')];
      },
      refusal: /^(?:[^\n]*not_authori[^\n]*(?:\n|$)){10}$/,
    },
    {
      to: 'run Erlang for who has no cookie of its node',
      async try({ neighbour }) {
        const node = `${neighbour.key}@localhost`;
        const program = `io:format("~p~n",[{net_adm:ping('${node}'),rpc:call('${node}',os,cmd,["id"])}]),halt().`;
        const ports = innerPorts(neighbour);
        return [ports.length > 0, ...(await tryEach(ports, (port) => runErlang(port, program)))];
      },
      refusal: /^true\n(?:\{pang,\{badrpc,nodedown\}\}\s*)+$/,
    },
  ],
};

/** What the HTTP API of a server says to the login of a binding, of that server or another one. */
async function askApi(
  as: Holding,
  at: Holding,
  method: string,
  path: string,
  body?: object,
): Promise<string> {
  const { username, password } = as.credentials;
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const api = at.credentials['dashboard_url'] ?? '';
  return (await fetch(`${api}api/${path}`, { method, headers, body: body && JSON.stringify(body) })).text();
}

/** Where it listens for none but its own tools. */
function innerPorts({ id, base, port, credentials }: Holding): readonly number[] {
  const units = listLaunched({ state: join(base, 'state') });
  const pids = units.flatMap(({ identity }) => groupOf(identity, id));
  return listeningPorts(pids).filter(
    (one) => ![port, Number(new URL(credentials['dashboard_url'] ?? '').port)].includes(one),
  );
}

/** As a node that takes this port for that of each other node. */
async function runErlang(port: number, program: string): Promise<string> {
  const asNode = ['-start_epmd', 'false', '-erl_epmd_port', `${port}`, '-dist_listen', 'false'];
  const args = [
    ...asNode,
    '-sname',
    'attacker@localhost',
    '-setcookie',
    'a-guess',
    '-noinput',
    '-eval',
    program,
  ];
  const { stdout } = await promisify(execFile)('erl', args, { timeout: 30_000 });
  return stdout;
}
