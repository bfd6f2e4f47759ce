import { createConnection } from 'mysql2/promise';
import type { Holding } from '../market.ts';
import { type Attack, type Attacks, tryEach } from './attack.ts';

async function ask(as: Holding, statements: readonly string[], at = as): Promise<readonly unknown[]> {
  const { host, username: user, password, name: database } = as.credentials;
  const connection = await createConnection({ host, port: at.port, user, password, database });
  try {
    return await tryEach(statements, async (statement) => (await connection.query(statement))[0]);
  } finally {
    connection.destroy();
  }
}

const no = "(?:denied|Unknown|disabled|secure|requires|not support|can't|doesn't|syntax)";

function refuses(to: string, ...statements: readonly string[]): Attack {
  return {
    to,
    try: ({ mine }) => ask(mine, statements),
    refusal: new RegExp(`^(?:[^\\n]*${no}[^\\n]*(?:\\n|$)){${statements.length}}$`, 'i'),
  };
}

export const mariadb: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const [, , rows] = await ask(holding, [
      'create table secrets (value text)',
      `insert into secrets values ('${secret}')`,
      'select value from secrets',
    ]);
    if (!JSON.stringify(rows).includes(secret)) throw new Error(JSON.stringify(rows));
  },
  attacks: [
    {
      to: 'read files',
      try: ({ mine, paths }) =>
        ask(mine, [
          ...['/etc/passwd', ...paths].map((path) => `select load_file('${path}') as content`),
          "load data infile '/etc/passwd' into table secrets",
        ]),
      refusal: /\{"content":null\}[^]*denied/,
    },
    refuses(
      'write files',
      "select 'x' into outfile '/tmp/x'",
      "select 'x' into dumpfile '/tmp/x.so'",
      "create table away (a int) data directory = '/tmp' engine = connect",
    ),
    refuses(
      'load code',
      "create function sys_exec returns int soname 'lib_mysqludf_sys.so'",
      "install soname 'ha_connect'",
      "install plugin x soname 'x.so'",
    ),
    refuses(
      'open a connection to a neighbour',
      "create table remote (value text) engine = federated connection = 'mysql://a:b@127.0.0.1/app/secrets'",
      "create table remote (value text) engine = connect table_type = mysql connection = 'mysql://a@127.0.0.1/app/secrets'",
      'create table remote (value text) engine = spider comment = \'host "127.0.0.1"\'',
      "create server s foreign data wrapper mysql options (host '127.0.0.1')",
      "change master to master_host = '127.0.0.1'",
    ),
    refuses(
      'make or become another user',
      "create user x identified by 'x'",
      "set password for admin@'%' = password('x')",
      'select * from mysql.global_priv',
      'grant all on *.* to current_user()',
      "create definer = admin@'%' procedure p() sql security definer select load_file('/etc/passwd')",
      'set global general_log_file = "/tmp/x.php"',
      'shutdown',
    ),
    {
      to: 'tell of other databases, users and sessions',
      try: ({ mine }) =>
        ask(mine, [
          "select group_concat(schema_name order by 1) as seen from information_schema.schemata where schema_name <> 'information_schema'",
          "select count(*) as others from information_schema.processlist where user <> substring_index(current_user(), '@', 1)",
        ]),
      refusal: /"seen":"app"[^]*"others":0/,
    },
    {
      to: 'let the login of a binding into the server of a neighbour',
      try: ({ mine, neighbour }) => ask(mine, ['select value from secrets'], neighbour),
      refusal: /Access denied/,
    },
  ],
};
