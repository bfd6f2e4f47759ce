import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { ServerSettings } from '../../src/http/server.ts';
import { createAuthority, describeTls, type Authority, type MadePair } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { aServer, login, showing, type Running } from './test-server.ts';

interface Answer {
  readonly status: number;
  /** By which a connection is known. */
  readonly from: number | undefined;
  /** Of the certificate that was shown; undefined where the connection was there before. */
  readonly serial: string | undefined;
  readonly strict: string | undefined;
}

describeTls('A listener with a certificate', () => {
  let authority: Authority;
  let pair: MadePair;
  let running: Running;
  const sockets: Socket[] = [];
  const agents: Agent[] = [];

  beforeAll(() => {
    authority = createAuthority();
    pair = authority.issue();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const agent of agents.splice(0)) agent.destroy();
    await running.server.close();
  });

  async function serve(settings: Partial<ServerSettings> = {}): Promise<void> {
    running = await aServer({ tls: pair, ...settings }, showing());
  }

  async function secured(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { port } = running;
    const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ...options });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Has reached the port, and says nothing. @param from another address of this machine */
  async function silent(from = '127.0.0.1'): Promise<Socket> {
    const socket = connectPlainly({ port: running.port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** One request by a connection of the agent. */
  function askBy(agent: Agent, authorization = login) {
    return new Promise<Answer>((resolve, reject) => {
      const { port } = running;
      const asked = request(
        { port, host: '127.0.0.1', path: '/things', agent, headers: { authorization } },
        (answer) => {
          const shown = (answer.socket as TLSSocket).getPeerX509Certificate();
          const { 'strict-transport-security': strict } = answer.headers;
          const from = answer.socket.localPort;
          answer.resume();
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              from,
              serial: shown?.serialNumber,
              strict,
            }),
          );
        },
      );
      asked.on('error', reject).end();
    });
  }

  function agentOf(settings: Partial<ConnectionOptions> & { keepAlive?: boolean } = {}): Agent {
    const agent = new Agent({ ca: authority.cert, keepAlive: true, maxSockets: 1, ...settings });
    agents.push(agent);
    return agent;
  }

  test('A listener with a certificate serves curl, which trusts the authority alone.', async () => {
    await serve();
    const url = `https://localhost:${running.port}/things`;
    const ask = (more: readonly string[]) =>
      promisify(execFile)('curl', ['-sS', '--ipv4', '-H', `authorization: ${login}`, ...more, url]);
    expect((await ask(['--cacert', authority.certFile])).stdout).toBe('{"all":true}');
    await expect(ask([])).rejects.toThrow(/certificate/);
  });

  test('A listener with a certificate speaks TLS 1.2 and 1.3, and nothing older.', async () => {
    await serve();
    expect((await secured()).getProtocol()).toBe('TLSv1.3');
    expect((await secured({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(secured(old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  test('A new certificate is shown to new connections, and those that are open go on with the old one.', async () => {
    await serve();
    const before = agentOf();
    const { serialNumber: serial } = new X509Certificate(pair.cert);
    const first = await askBy(before);
    expect(first).toMatchObject({ status: 200, serial });
    const fresh = authority.issue();
    running.server.renew(fresh);
    expect(await askBy(before)).toMatchObject({ status: 200, from: first.from });
    const { serialNumber } = new X509Certificate(fresh.cert);
    expect(await askBy(agentOf())).toMatchObject({ status: 200, serial: serialNumber });
  });

  test('Who speaks plain HTTP is told where HTTPS begins.', async () => {
    await serve();
    const answer = await fetch(`http://127.0.0.1:${running.port}/things`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ description: expect.stringContaining('https://') });
  });

  test.each([
    ['says nothing', ''],
    ['begins with what is no TLS', 'x'],
    ['sends the beginning of a handshake', '\x16\x03\x01\x02\x00\x01'],
  ])('Who %s is let go when the time for the handshake is over.', async (_what, bytes) => {
    await serve({ handshakeMs: 100 });
    const socket = await silent();
    socket.resume().write(bytes, 'latin1');
    await until('it is closed', () => socket.closed || socket.readableEnded);
  });

  test('Connections that never finish their handshake crowd out neither platforms nor those who come later.', async () => {
    await serve({ maxConnections: 20, graceMs: 0 });
    const platform = agentOf();
    const { status, from } = await askBy(platform);
    const strangers: Socket[] = [];
    for (let index = 0; index < 60; index += 1) strangers.push(await silent(`127.0.1.${(index % 30) + 1}`));
    for (const socket of strangers) socket.resume();
    await until('strangers had to go', () => strangers.filter(({ closed }) => !closed).length <= 10);
    expect(status).toBe(200);
    expect(await askBy(platform)).toMatchObject({ status, from });
    expect(await askBy(agentOf())).toMatchObject({ status: 200 });
  });

  test('Who has to go in the middle of a handshake gets no bytes that are no TLS.', async () => {
    await serve({ maxConnections: 20, graceMs: 0 });
    const first = await silent();
    let received = '';
    first.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    first.write('\x16\x03\x01\x02\x00\x01', 'latin1');
    for (let index = 0; index < 5; index += 1) await silent();
    await until('the first is closed', () => first.closed || first.readableEnded);
    expect(received).toBe('');
  });

  test('A stop does not wait for handshakes that do not end.', async () => {
    await serve();
    const socket = await silent();
    socket.resume();
    await secured();
    const began = performance.now();
    await running.server.close();
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test.each([
    [true, 'max-age=31536000'],
    [false, undefined],
  ])('Where strict transport is %s, answers say %s.', async (strictTransport, header) => {
    await serve({ strictTransport });
    expect((await askBy(agentOf())).strict).toBe(header);
    expect((await askBy(agentOf(), 'Basic eDp5')).strict).toBe(header);
  });
});
