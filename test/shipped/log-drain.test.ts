import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { makeDue, servedBy } from './served-certificate.ts';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** rsyslog, which takes what `logger` and platforms send, and nginx, by which bindings read it. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describeOffering('log-drain', () => {
  test('S11: What logger sends to the drain of a binding is read with its login, and no more after the unbind.', async () => {
    const watch = watchProcesses();
    const drain = await shop.buy('log-drain', 'small');
    const bindings = [await drain.bind(), await drain.bind()] as const;
    const [first, second] = bindings;
    expect(await read(first)).toEqual({ status: 200, text: '' });
    await log(first, '--rfc5424', '--octet-count', 'one tea');
    // Each comes by a connection of its own, and connections have no order.
    await shows(second, 'one tea');
    await log(first, '--rfc5424', 'one milk');
    const text = await shows(second, 'one milk');
    expect(text).toMatch(/^<13>1 \d{4}-\S+ \S+ shop - - .*one tea\n<13>1 .*one milk\n$/);
    expect((await read(second, { password: 'a-guess' })).status).toBe(401);
    expect((await fetch(second.credentials['url'] ?? '')).status).toBe(401);
    expectNoSecrets(watch.end(), drain, bindings);
    expectPrivate(drain);
    await first.unbind();
    expect((await read(first)).status).toBe(401);
    expect((await read(second)).text).toContain('one tea');
    await returnWholly(drain, second.port);
  });

  test('Messages as Cloud Foundry sends them are kept one a line, however they are cut into packets.', async () => {
    const drain = await shop.buy('log-drain', 'small');
    const bound = await drain.bind();
    const header = '<14>1 2026-01-02T03:04:05.678901+00:00 acme.dev.web 0d9a-guid [APP/PROC/WEB/0] -';
    const messages = ['- GET / ü', '[tags@47450 a="b"] with\nline breaks\n', `- ${'long '.repeat(8000)}end`];
    const bytes = Buffer.concat(messages.map((one) => counted(`${header} ${one}`)));
    const socket = connect({ host: hostOf(bound), port: drainPort(bound) });
    for (const part of [bytes.subarray(0, 1), bytes.subarray(1, 150), bytes.subarray(150)]) {
      await new Promise((resolve) => socket.write(part, resolve));
    }
    socket.end();
    await once(socket, 'close');
    const lines = (await shows(bound, 'end\n')).trimEnd().split('\n');
    expect(lines).toEqual([
      `${header} - GET / ü`,
      `${header} [tags@47450 a="b"] with#012line breaks`,
      `${header} ${messages[2]}`,
    ]);
    await drain.deprovision();
  });

  test('Only the last of it is kept: when there is too much, what was before is put aside, and then thrown away.', async () => {
    const drain = await shop.buy('log-drain', 'small');
    const bound = await drain.bind();
    const part = Buffer.concat(
      Array.from({ length: 1000 }, () => counted(`<14>1 - - - - - - ${'x'.repeat(30_000)}`)),
    );
    const socket = connect({ host: hostOf(bound), port: drainPort(bound) });
    const send = (bytes: Buffer) => new Promise((resolve) => socket.write(bytes, resolve));
    await send(counted('<14>1 - - - - - - the first line'));
    for (let count = 0; count < 5; count += 1) await send(part);
    await send(counted('<14>1 - - - - - - the last line'));
    socket.end();
    await shows(bound, 'the last line');
    const logs = join(drain.directory.data, 'logs');
    expect(readdirSync(logs).toSorted()).toEqual(['before', 'current']);
    for (const name of ['before', 'current']) {
      expect(statSync(join(logs, name)).size).toBeLessThan(51 * 1024 * 1024);
    }
    const { text } = await read(bound, { path: 'before' });
    expect(text).not.toContain('the first line');
    expect(text.length).toBeGreaterThan(40_000_000);
    await drain.deprovision();
  });

  test('What was logged survives a restart and another plan.', async () => {
    const drain = await shop.buy('log-drain', 'small');
    const bound = await drain.bind();
    await log(bound, '--rfc5424', '--octet-count', 'before the restart');
    await shows(bound, 'before the restart');
    await drain.act('restart');
    expect((await drain.update('medium')).status).toBe(200);
    await log(bound, '--rfc5424', '--octet-count', 'after it');
    expect(await shows(bound, 'after it')).toContain('before the restart');
    await drain.deprovision();
  });

  const hasDriver = existsSync('/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so');
  (hasDriver ? test : test.skip)(
    'In the plan secure another rsyslog sends by TLS what curl reads by TLS, nothing is taken in the clear, and a new certificate is read (needs rsyslog-openssl).',
    async () => {
      const drain = await shop.buy('log-drain', 'secure');
      const bound = await drain.bind();
      const { url, ca = '' } = bound.credentials;
      expect([new URL(bound.syslogDrainUrl ?? '').protocol, new URL(url ?? '').protocol]).toEqual([
        'syslog-tls:',
        'https:',
      ]);
      const overDrain = { ...bound, port: drainPort(bound) };
      const sender = sendByRsyslog(bound, ca);
      try {
        await log(bound, '--rfc5424', '--octet-count', 'in the clear').catch(() => undefined);
        sender.log('one tea');
        expect(await showsInTls(bound, 'one tea')).not.toContain('in the clear');
        const isSeen = async () => (await drain.details()).units.every(({ pid }) => pid !== undefined);
        await until('its units have been looked at', isSeen, 60_000);
        const [first, ofPage] = [await servedBy(overDrain), await servedBy(bound)];
        expect([first, ofPage]).not.toContain(undefined);
        makeDue(drain);
        const isServed = async () =>
          ![first, undefined].includes(await servedBy(overDrain)) &&
          ![ofPage, undefined].includes(await servedBy(bound));
        await until('another certificate is shown at both ports', isServed, 60_000);
        // What was on its way when rsyslog was started anew is lost.
        await showsInTls(bound, 'one milk', () => sender.log('one milk'));
      } finally {
        await sender.end();
      }
      await bound.unbind();
      await expect(readInTls(bound)).rejects.toThrow('401');
      await drain.deprovision();
    },
  );
});

/** An rsyslog that sends the lines of a file, to whom the authority has signed. */
function sendByRsyslog(bound: Bound, ca: string) {
  const place = scratchDirectory('sender');
  const [file, lines, config] = ['ca.pem', 'lines', 'rsyslog.conf'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, ca);
  writeFileSync(lines, '');
  writeFileSync(
    config,
    `global(workDirectory="${place}" defaultNetstreamDriverCAFile="${file}")
module(load="imfile" pollingInterval="1")
input(type="imfile" file="${lines}" tag="shop")
action(type="omfwd" target="${hostOf(bound)}" port="${drainPort(bound)}" protocol="tcp" tcp_framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/certvalid"
  action.resumeRetryCount="-1" action.resumeInterval="1")
`,
  );
  const args = ['-n', '-C', '-f', config, '-i', join(place, 'pid')];
  const running = spawn('rsyslogd', args, { stdio: 'ignore', env: sbin });
  const ended = once(running, 'exit');
  return {
    log: (line: string) => appendFileSync(lines, `${line}\n`),
    async end() {
      running.kill();
      await ended;
    },
  };
}

const sbin = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

async function readInTls({ credentials }: Bound): Promise<string> {
  const authority = join(scratchDirectory('ca'), 'ca.pem');
  writeFileSync(authority, credentials['ca'] ?? '');
  const login = `${credentials['username']}:${credentials['password']}`;
  const args = ['-sSf', '--max-time', '60', '--cacert', authority, '-u', login, credentials['url'] ?? ''];
  return (await promisify(execFile)('curl', args)).stdout;
}

/** As `shows`. @param say before each look */
async function showsInTls(bound: Bound, words: string, say?: () => void): Promise<string> {
  let text = '';
  const isShown = async () => {
    say?.();
    return (text = await readInTls(bound)).includes(words);
  };
  await until(`the log has ${words}`, isShown, 60_000);
  return text;
}

const hostOf = (bound: Bound) => bound.credentials['host'] ?? '';

const drainPort = ({ syslogDrainUrl = '' }: Bound) => Number(new URL(syslogDrainUrl).port);

/** As RFC 6587 has it: with the number of bytes before it. */
function counted(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

async function log(bound: Bound, ...args: readonly string[]): Promise<void> {
  const to = ['--tcp', '--server', hostOf(bound), '--port', String(drainPort(bound)), '--tag', 'shop'];
  await promisify(execFile)('logger', [...to, ...args]);
}

interface Asked {
  readonly password?: string;
  readonly path?: string;
}

async function read(
  { credentials }: Bound,
  { password = credentials['password'], path = 'current' }: Asked = {},
) {
  const login = Buffer.from(`${credentials['username']}:${password}`).toString('base64');
  const url = new URL(path, credentials['url']);
  const answer = await fetch(url, { headers: { authorization: `Basic ${login}` } });
  return { status: answer.status, text: await answer.text() };
}

/** Waits until this has arrived, and gives all there is. */
async function shows(bound: Bound, words: string): Promise<string> {
  let text = '';
  await until(`the log has ${words}`, async () => (text = (await read(bound)).text).includes(words), 60_000);
  return text;
}
