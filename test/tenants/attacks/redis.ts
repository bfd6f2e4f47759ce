import { createClient } from '@redis/client';
import type { Holding } from '../market.ts';
import { type Attack, type Attacks, textOf, tryEach } from './attack.ts';

/** Says these commands with the login of `as`, at the port of `at`, and gives the answers. */
async function say(as: Holding, commands: readonly (readonly string[])[], at = as): Promise<string> {
  const { host = '', username, password } = as.credentials;
  return sayAs({ username, password }, host, commands, at.port);
}

/** Without a name it is the user whose login is a password alone. */
async function sayAs(
  login: { readonly username?: string | undefined; readonly password?: string | undefined },
  host: string,
  commands: readonly (readonly string[])[],
  port: number,
): Promise<string> {
  const socket = { host, port, reconnectStrategy: false } as const;
  const client = createClient({ ...login, socket });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return textOf(await tryEach(commands, (command) => client.sendCommand(command)));
  } finally {
    client.destroy();
  }
}

const script = (text: string) => ['EVAL', text, '0'];

function refuses(to: string, ...commands: readonly (readonly string[])[]): Attack {
  return {
    to,
    try: ({ mine }) => say(mine, commands),
    refusal: every(commands.length, 'NOPERM|not allowed'),
  };
}

/** So many lines that each say so. */
function every(count: number, words: string): RegExp {
  return new RegExp(`^(?:[^\\n]*(?:${words})[^\\n]*(?:\\n|$)){${count}}$`);
}

export const redis: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const answer = await say(holding, [
      ['SET', 'secret', secret],
      ['GET', 'secret'],
    ]);
    if (!answer.includes(secret)) throw new Error(answer);
  },
  attacks: [
    refuses(
      'write files elsewhere',
      ['CONFIG', 'SET', 'dir', '/tmp'],
      ['CONFIG', 'SET', 'dbfilename', 'x'],
      ['CONFIG', 'GET', 'dir'],
      ['CONFIG', 'REWRITE'],
      ['SAVE'],
      ['BGSAVE'],
      ['BGREWRITEAOF'],
    ),
    refuses('load code', ['MODULE', 'LOAD', '/tmp/x.so'], ['MODULE', 'LIST']),
    refuses(
      'copy the data of a neighbour',
      ['REPLICAOF', '127.0.0.1', '1'],
      ['SLAVEOF', 'NO', 'ONE'],
      ['SYNC'],
    ),
    refuses(
      'see other users and their commands',
      ['ACL', 'LIST'],
      ['ACL', 'GETUSER', 'default'],
      ['MONITOR'],
      ['CLIENT', 'LIST'],
    ),
    {
      to: 'administrate with a password alone',
      try: ({ mine }) => {
        const { host = '', password } = mine.credentials;
        const commands = [
          ['CONFIG', 'GET', '*'],
          ['ACL', 'LIST'],
          ['ACL', 'SETUSER', 'default', 'nopass'],
          ['MIGRATE', '127.0.0.1', '1', 'key', '0', '100'],
          ['SHUTDOWN', 'NOSAVE'],
        ];
        return sayAs({ password }, host, commands, mine.port);
      },
      refusal: every(5, 'NOPERM|not allowed'),
    },
    refuses('end or debug the server', ['SHUTDOWN', 'NOSAVE'], ['DEBUG', 'SLEEP', '0'], ['FAILOVER']),
    {
      to: 'open a connection to a neighbour',
      try: ({ mine, neighbour }) => {
        const { host = '', password = '' } = mine.credentials;
        return say(mine, [['MIGRATE', host, `${neighbour.port}`, 'secret', '0', '100', 'AUTH', password]]);
      },
      refusal: /NOPERM/,
    },
    {
      to: 'do by a script what its user may not',
      try: ({ mine }) =>
        say(mine, [
          script("return redis.call('CONFIG', 'GET', 'dir')"),
          script("return redis.call('ACL', 'LIST')"),
          script("return redis.call('MODULE', 'LIST')"),
        ]),
      refusal: every(3, 'ERR|NOPERM|permission'),
    },
    {
      to: 'let a script out of its interpreter',
      try: ({ mine, paths }) =>
        say(mine, [
          ...paths.flatMap((path) => [
            script(`return io.open('${path}'):read('*a')`),
            script(`return dofile('${path}')`),
            script(`return loadfile('${path}')`),
          ]),
          script("return os.execute('id')"),
          script("return require('io').popen('id'):read('*a')"),
          script("return package.loadlib('/usr/lib/x86_64-linux-gnu/liblua5.1.so.0', 'luaopen_io')"),
          script("return debug.getregistry()['_LOADED']['io']"),
          script("return getmetatable('').__index.dump(function() return os.execute('id') end)"),
        ]),
      refusal:
        /nonexistent global variable 'io'[^]*nonexistent global variable 'dofile'[^]*nonexistent global variable 'package'/,
    },
    {
      to: 'let the login of a binding into the instance of a neighbour',
      try: ({ mine, neighbour }) => say(mine, [['GET', 'secret']], neighbour),
      refusal: /WRONGPASS/,
    },
  ],
};
