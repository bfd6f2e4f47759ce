import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { endProcess } from '../../src/system/end-process.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { processesOf } from '../shipped/privacy.ts';
import { address, type Bought, type Bound, describeOffering, openShop, type Shop } from '../shipped/shop.ts';
import { exchange, rawRequest, readAnswer, sendRaw } from '../support/raw-http.ts';
import { listeningPorts } from '../support/listening-ports.ts';
import { until } from '../support/until.ts';

const ruby = '/usr/lib/x86_64-linux-gnu/groonga/plugins/ruby/eval';
const attack = ['/d/plugin_register?name=ruby/eval', '/d/ruby_eval?script=%60id%60'];

describeOffering('search', () => {
  let shop: Shop;
  let mine: Bought;
  let bound: Bound;
  beforeAll(async () => {
    shop = await openShop();
    mine = await shop.buy('search', 'small');
    bound = await mine.bind();
  });
  afterAll(() => shop.close());

  const url = () => `http://${address}:${bound.port}`;

  function login({ credentials }: Bound = bound): string {
    const text = `${credentials['username']}:${credentials['password']}`;
    return `Basic ${Buffer.from(text).toString('base64')}`;
  }

  function send(target: string, body?: string, authorization: string | undefined = login()) {
    const method = body === undefined ? 'GET' : 'POST';
    return sendRaw(url(), rawRequest({ method, target, body, headers: { authorization } }));
  }

  test('Search answers nobody without the login of one of its bindings', async () => {
    const neighbour = await shop.buy('search', 'small');
    const strangers = [
      undefined,
      login(await neighbour.bind()),
      'Basic Og==',
      'Basic ',
      'Bearer ',
      `Basic ${Buffer.from(`../users/${bound.credentials['username']}:x`).toString('base64')}`,
      `Basic ${Buffer.from(`${bound.credentials['username']}:`).toString('base64')}`,
    ];
    for (const path of ['/d/status', '/d/select?table=T', ...attack, '/', '/d/', '/index.html']) {
      for (const authorization of strangers) {
        const bytes = rawRequest({ target: path, headers: { authorization } });
        expect([path, authorization, (await sendRaw(url(), bytes)).status]).toEqual([
          path,
          authorization,
          401,
        ]);
      }
    }
  });

  test('Search listens at no other port of the machine than its own', async () => {
    const pids = processesOf(mine).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(1);
    expect(listeningPorts(pids)).toEqual([bound.port]);
  });

  test('Search refuses to run commands about the server, however their path is written', async () => {
    for (const target of [
      ...attack,
      '/d/%70lugin_register?name=ruby/eval',
      '/d/plugin%5fregister?name=ruby/eval',
      '/d//plugin_register?name=ruby/eval',
      '//d/plugin_register?name=ruby/eval',
      '/d/../d/plugin_register?name=ruby/eval',
      '/d/select/../plugin_register?name=ruby/eval',
      '/d/select%2f..%2fplugin_register?name=ruby/eval',
      '/d/select%3f/../plugin_register?name=ruby/eval',
      '/d/select%00/plugin_register?name=ruby/eval',
      '/d/select;plugin_register?name=ruby/eval',
      '/d/plugin_register.select?name=ruby/eval',
      '/d/plugin_register#/d/select?name=ruby/eval',
      '/d/PLUGIN_REGISTER?name=ruby/eval',
      '/D/select',
      '/d/ select',
      `http://${address}/d/plugin_register?name=ruby/eval`,
      '/d/plugin_unregister?name=ruby/eval',
      '/d/register?path=ruby/eval',
      '/d/ruby_load?path=/etc/passwd',
      '/d/shutdown',
      '/d/quit',
      '/d/log_put?level=error&message=x',
      '/d/log_level?level=dump',
      '/d/log_reopen',
      '/d/query_log_flags_set?flags=NONE',
      '/d/database_unmap',
      '/d/cache_limit?max=1000000000',
      '/d/config_set?key=a&value=b',
      '/d/thread_limit?max=9',
      '/d/lock_acquire',
      '/ready',
      '/etc/passwd',
      '/../../../../etc/passwd',
    ]) {
      const { status, text } = await send(target);
      expect([target, [400, 404].includes(status), text]).toEqual([
        target,
        true,
        expect.not.stringMatching(/uptime|root:|true\]$/),
      ]);
    }
    expect((await send('/d/status')).status).toBe(200);
  });

  test('Search refuses to run a command from inside an expression', async () => {
    await send('/d/table_create?name=Inside&flags=TABLE_NO_KEY');
    await send('/d/load?table=Inside', '[{}]');
    for (const call of ['plugin_register("ruby/eval")', 'ruby_eval("1")', 'shutdown()', 'status()']) {
      for (const argument of ['filter', 'scorer', 'output_columns', 'drilldown']) {
        const query = new URLSearchParams({ table: 'Inside', command_version: '2', [argument]: call });
        const { text } = await send(`/d/select?${query.toString()}`);
        expect([call, argument, text]).toEqual([call, argument, expect.not.stringMatching(/uptime|true\]$/)]);
      }
    }
    expect((await send('/d/ruby_eval?script=1')).status).toBe(404);
  });

  test('Search refuses commands that hide behind the documents of a body', async () => {
    await send('/d/table_create?name=Behind&flags=TABLE_HASH_KEY&key_type=ShortText');
    const command = 'table_create Hidden TABLE_NO_KEY';
    for (const body of [
      `[]\n${command}`,
      `[]\r\n${command}\r\n`,
      `[]\n\n \t${command}`,
      `[]\n"table_create" Hidden TABLE_NO_KEY`,
      `[]\n'table_create' Hidden TABLE_NO_KEY`,
      '[]\n/d/table_create?name=Hidden&flags=TABLE_NO_KEY',
      `\n${command}`,
      command,
      `[]\n\v${command}`,
      `[]\n\f${command}`,
      `[]\n\0${command}`,
      `[]\n${' '.repeat(100_000)}${command}`,
      `[${' '.repeat(3_000_000)}]\n${command}`,
      '',
    ]) {
      const started = `${body.slice(0, 40)} (${body.length})`;
      expect([started, (await send('/d/load?table=Behind', body)).status]).toEqual([started, 400]);
      await send('/d/load?table=Behind&values=%5B%5D', body);
      const chunked = { 'transfer-encoding': 'chunked', 'content-length': undefined, authorization: login() };
      const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n${body === '' ? '' : '0\r\n\r\n'}`;
      const target = '/d/load?table=Behind';
      await sendRaw(url(), rawRequest({ method: 'POST', target, body: chunk, headers: chunked }));
    }
    for (const first of ['{', '[', ',', ']', '}', '},', '[ ', '{"']) {
      await send('/d/load?table=Behind', `[]\n${first}${command}\n${first} ${command}`);
    }
    const { text } = await send('/d/table_list');
    expect(text).toContain('"Behind"');
    expect(text).not.toContain('"Hidden"');
    const lines = '[\n{"_key": "a"},\n  {"_key": "b"}\n]\n';
    expect(await send('/d/load?table=Behind', lines)).toMatchObject({
      status: 200,
      text: expect.stringMatching(/,2\]$/),
    });
  });

  test('Search refuses what is smuggled past it as a second request, or told to what stands behind it', async () => {
    const smuggled = rawRequest({ target: attack[0] ?? '', headers: { authorization: undefined } });
    const headers = { authorization: login(), connection: 'keep-alive' };
    const both = { ...headers, 'content-length': '4', 'transfer-encoding': 'chunked' };
    const first = rawRequest({ method: 'POST', target: '/d/load?table=T', headers: both });
    const mixed = (
      await exchange(url(), Buffer.concat([first, Buffer.from('0\r\n\r\n'), smuggled]))
    ).toString();
    expect(mixed).not.toMatch(/\btrue\]/);
    const piped = Buffer.concat([rawRequest({ target: '/d/status', headers }), smuggled]);
    const answers = (await exchange(url(), piped)).toString().match(/HTTP\/1.1 \d+/g);
    expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
    const told = { authorization: login(), 'X-Documents': 'yes', 'X-Served': 'yes' };
    const load = rawRequest({ method: 'POST', target: '/d/load?table=T', body: 'status', headers: told });
    expect(readAnswer(await exchange(url(), load)).status).toBe(400);
  });

  test('Search cannot be made to run Ruby by who reaches its socket, for there is none in it', async () => {
    const socket = join(mine.directory.run, 'groonga.sock');
    expect(existsSync(socket)).toBe(true);
    for (const name of ['ruby/eval', ruby]) {
      await expect(ask(socket, `/d/plugin_register?name=${name}`)).resolves.toContain('cannot find plugin');
    }
    await expect(ask(socket, attack[1] ?? '')).resolves.not.toContain('uid=');
  });

  /** Says to nginx behind its login that all is well. */
  async function ask(socketPath: string, path: string): Promise<string> {
    const asked = request({ socketPath, path, headers: { 'x-served': 'yes' } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).not.toBe(200);
    return (await answer.toArray()).join('');
  }

  test('Search is started again after it was killed, at the same port and with its logins', async () => {
    const [unit] = listLaunched(mine.directory);
    if (!unit) throw new Error('It does not run.');
    await endProcess(unit.identity, { termMs: 0, killMs: 5000 });
    await mine.act('start');
    await until('it answers', async () => (await send('/d/status')).status === 200);
  });
});
