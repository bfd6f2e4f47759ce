// Values of options and addresses stand in no message, however wrong they are.
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { presentValues, type Environment } from '../../src/config/config.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { options, readConfig } from '../../src/program/config.ts';
import { redacted, redactor, secretValues } from '../../src/config/secret-values.ts';
import { Writable } from 'node:stream';
import { runProgram, type Running } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const canary = 'c4n4ry-9f2';
const pem = `-----BEGIN PRIVATE KEY-----\n${canary}AAAA\n-----END PRIVATE KEY-----`;

/** What people and programs put into variables by mistake. */
const mistakes: Readonly<Record<string, string>> = {
  'a word': canary,
  'a certificate': pem,
  'a certificate on one line': pem.replaceAll('\n', '\\n'),
  'an address without a scheme': `${canary}:${canary}@${canary}.example/${canary}`,
  'an address of another scheme': `mysql://${canary}:${canary}@${canary}.example/${canary}`,
  'an address with a password that is not encoded': `postgres://u:p@${canary}@h:5432/d`,
  'an address with a slash in its password': `postgres://u:p/${canary}@h/d`,
  'an address with a question mark in its password': `postgres://u:5?${canary}@h/d`,
  'an address with a number sign in its password': `postgres://u:5#${canary}@h/d`,
  'an address with a port that is none': `postgres://u:${canary}@h:${canary}/d`,
  'an address with a percent sign that encodes nothing': `postgres://u:%zz${canary}@h/d`,
  'an address with an unknown sslmode': `postgres://u:${canary}@h/d?sslmode=${canary}`,
  'an address with a certificate in it': `postgres://u:${canary}@h/d?sslmode=verify-full&sslrootcert=${encodeURIComponent(pem)}`,
  'an address with a key in it': `postgres://u:${canary}@h/d?sslcert=${canary}&sslkey=${encodeURIComponent(pem)}`,
  'an address of a web page with a login': `https://${canary}:${canary}@h/`,
  'an address of a web page with a query': `https://h/?token=${canary}`,
  'JSON that was cut': `{"a": "${canary}`,
  'JSON with something behind it': `{"a": "${canary}"} ${canary}`,
  'JSON of another kind': `["${canary}"]`,
  'JSON with members that are no texts': `{"${canary}": 1, "b": {"${canary}": "${canary}"}}`,
  'keys in the wrong order': `${canary}:1,${canary}:2`,
  'a key that is too short': `1:${canary}`,
  'two keys with one id': `${canary}:${'A'.repeat(43)}=,${canary}:${'B'.repeat(43)}=`,
  'lines that look like a log': `${canary}\n${canary}`,
};

/** Those in which any text is right, and which are no secrets: names to log in with. */
const names = [
  'BROKER_USERNAME',
  'BROKER_USERNAME_2',
  'OPERATOR_USERNAME',
  'TSURU_USERNAME',
  'CREDHUB_CLIENT',
];
/** Directories may have any name; what cannot be one is refused. NODE_USER and hosts may be any word. */
const words = [
  'DATA_DIR',
  'NODE_DIR',
  'BACKUP_DIR',
  'CREDHUB_CA',
  'CREDHUB_SECRET_FILE',
  'CREDHUB_CERT',
  'CREDHUB_KEY',
  'BACKUP_S3_PREFIX',
  'BACKUP_S3_REGION',
  'BACKUP_S3_CREDENTIALS',
  'TLS_CERT',
  'TLS_KEY',
  'BROKER_CA',
  'TLS_CLIENT_CA',
  'PG_BIN_DIR',
  'CATALOG_DIR',
  'NODE_SANDBOX_READS',
  'NODE_CONTAINERS',
  'NODE_IMAGES',
  'NODE_REGISTRY_LOGINS',
  'PRINCIPALS_FILE',
  'WEBHOOKS_FILE',
  'QUOTAS_FILE',
  'BACKUP_DIR',
  'BACKUP_S3_PREFIX',
  'BACKUP_S3_REGION',
  'BACKUP_S3_CREDENTIALS',
  'KUBERNETES_CONFIG',
  'NODE_USER',
  'NODE_NAME',
];
const hosts = ['HOST', 'NODE_HOST', 'NODE_BIND'];
const variables = [...Object.values(options).map(({ name }) => name), 'OTHER_POSTGRES_URL'];

describe.each(Object.entries(mistakes))('With %s in a variable', (_what, value) => {
  test.each(variables)('With a secret in a variable no problem that is found in %s repeats it.', (name) => {
    expect(messageFor({ [name]: value })).not.toContain(canary);
  });

  test('The list of all options shows no part of a secret in a variable but where it is a right value and no secret.', () => {
    for (const name of variables) {
      const shown = [...presentValues(options, { [name]: value }).entries()]
        .filter(([, one]) => one.includes(canary))
        .map(([one]) => one);
      const harmless = [...names, ...words, ...hosts];
      expect(shown.filter((one) => !harmless.includes(one))).toEqual([]);
      if (/BEGIN|:\/\/|\n/.test(value)) expect(shown.filter((one) => !names.includes(one))).toEqual([]);
    }
  });
});

function messageFor(env: Environment): string {
  try {
    readConfig({ HOST: '127.0.0.1', ...env }, false);
    return '';
  } catch (error) {
    return error instanceof Error ? `${error.message} ${String(error.stack)}` : String(error);
  }
}

const inCredentials = (credentials: object) =>
  JSON.stringify({ 'user-provided': [{ name: 'pg', label: 'postgresql', tags: ['x'], credentials }] });

describe('Secrets of the environment', () => {
  test.each<[what: string, env: Environment, secret: string]>([
    ['a password', { BROKER_PASSWORD: canary }, canary],
    ['a password of many lines, by one of them', { OPERATOR_PASSWORD: `first line\n${canary}` }, canary],
    ['the password in an address', { DATABASE_URL: `postgres://u:${canary}@h/d` }, canary],
    ['it also as it is meant', { DATABASE_URL: `postgres://u:a%2F${canary}@h/d` }, `a/${canary}`],
    ['it also in an address that is none', { DATABASE_URL: `postgres://u:@/${canary}@h/d` }, `@/${canary}`],
    ['the host of a database', { X_POSTGRES_URL: 'postgres://u:p@db.inner.example/d' }, 'db.inner.example'],
    [
      'the user of a database, as a server names it',
      { DATABASE_URL: `postgres://${canary}:p@h/d` },
      `"${canary}"`,
    ],
    ['an encryption key', { ENCRYPTION_KEYS: `1:${'K'.repeat(43)}=` }, `${'K'.repeat(43)}=`],
    ['a password of tsuru', { TSURU_PASSWORDS: JSON.stringify({ redis: canary }) }, canary],
    ['the password of a bound service', { VCAP_SERVICES: inCredentials({ password: canary }) }, canary],
    ['it within an address', { VCAP_SERVICES: inCredentials({ uri: `postgres://u:${canary}@h/d` }) }, canary],
    ['a certificate of a bound service', { VCAP_SERVICES: inCredentials({ ca: pem }) }, `${canary}AAAA`],
  ])('Secrets of the environment are hidden in log lines of both formats: %s.', (_what, env, secret) => {
    for (const logFormat of ['text', 'json'] as const) {
      const { log, output } = captured(logFormat, env);
      log.note('error', `about ${secret}`, { detail: `it was ${secret}.`, many: [secret] });
      log.event({ type: 'trouble', doing: 'it', detail: `error: ${encodeURIComponent(secret)}` });
      expect(output()).not.toContain(secret.replaceAll('"', ''));
      expect(output()).toContain('***');
    }
  });

  test('Secrets of the environment are hidden also when the log learns of them later, in lines and in errors.', () => {
    const { log, output } = captured('text', { BROKER_PASSWORD: 'given-before' });
    log.hide([canary]);
    log.note('error', `about ${canary}`, { detail: `given-before and ${canary}` });
    const error = redacted(new TypeError(`not ${canary}`), log.redact) as Error;
    expect(output() + error.message + error.stack).not.toMatch(/c4n4ry|given-before/);
    expect(error).toMatchObject({ name: 'TypeError', message: 'not ***' });
  });

  test('Secrets of the environment leave alone what is no secret: names and tags of bound services, this machine, short words.', () => {
    const env = { VCAP_SERVICES: inCredentials({ uri: 'postgres://abc:pw@127.0.0.1:5432/abc' }) };
    const text = 'postgresql user-provided 127.0.0.1:5432 abc pw';
    expect(redactor(secretValues(options, env))(text)).toBe(text);
  });
});

function captured(logFormat: 'text' | 'json', env: Environment) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const secrets = secretValues(options, env);
  return { log: createLog({ logLevel: 'debug', logFormat, secrets }, stream), output: () => lines.join('') };
}

describe('As a process', () => {
  const scratch = scratchDirectory('secret-values');
  const running: Running[] = [];
  afterEach(async () => {
    for (const { signal, ended } of running.splice(0)) {
      signal('SIGKILL');
      await ended;
    }
  });

  function run(args: readonly string[], env: Readonly<Record<string, string>>): Running {
    const one = runProgram(args, { PORT: '0', DATA_DIR: join(scratch, 'data'), ...env });
    running.push(one);
    return one;
  }
  const wrongEverywhere = (value: string) =>
    Object.fromEntries(
      variables.filter((name) => !names.includes(name) && name !== 'LOG_FORMAT').map((name) => [name, value]),
    );

  test.each([
    ['serve', 'text', 'a certificate'],
    ['rekey', 'json', 'an address with a certificate in it'],
    ['config', 'text', 'an address of another scheme'],
    ['instances', 'text', 'an address of a web page with a login'],
  ])(
    '%s shows nothing of its environment when all of it is wrong (%s, %s).',
    async (command, format, what) => {
      const env = { ...wrongEverywhere(mistakes[what] ?? ''), LOG_FORMAT: format };
      const { code, output, errors } = await run([command], env).ended;
      expect(code).toBe(command === 'config' ? 0 : 1);
      expect(output + errors).not.toContain(canary);
      expect(output + errors).toMatch(/PUBLIC_URL/);
    },
  );

  test('What the first start has made is in no line: what it keeps in DATA_DIR, and the password of its database.', async () => {
    const home = scratchDirectory('kept-secrets');
    // Run by root, the embedded database has another user, who must get in.
    chmodSync(home, 0o755);
    const broker = run([], { DATA_DIR: home, LOG_FORMAT: 'json', LOG_LEVEL: 'debug' });
    const [, address = ''] = await broker.shows(/"message":"ready".*"address":"(http:[^"]+)"/);
    const names = ['broker-password', 'operator-password', 'tsuru-password', 'encryption-keys'];
    const files = [...names, 'postgres/cluster/purveyor-password'].map((name) => join(home, name));
    const secrets = files.map((file) => readFileSync(file, 'utf8').trim().replace(/^1:/, ''));
    // A log line shows the path of each request.
    for (const secret of secrets) await fetch(`${address}/${secret}/${encodeURIComponent(secret)}`);
    await broker.shows(/(?:"path":"\/\*\*\*\/\*\*\*".*\n[^]*){5}/);
    broker.signal('SIGTERM');
    const { output, errors } = await broker.ended;
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20);
      expect(output + errors).not.toContain(secret);
    }
  });

  test.each(['text', 'json'])('Waiting for a database shows nothing of its address (%s).', async (format) => {
    const broker = run([], {
      LOG_FORMAT: format,
      LOG_LEVEL: 'debug',
      NODE_ROLE: 'false',
      BROKER_PASSWORD: canary,
      ENCRYPTION_KEYS: `1:${'K'.repeat(43)}=`,
      DATABASE_URL: `postgres://${canary}-u:${canary}@${canary}-host.invalid:5432/${canary}-d`,
    });
    await broker.shows(/waiting for it: its host is not known \((ENOTFOUND|EAI_AGAIN)\)/);
    broker.signal('SIGTERM');
    const { output, errors } = await broker.ended;
    expect(output + errors).not.toContain(canary);
  });
});
