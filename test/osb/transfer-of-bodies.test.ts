import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { provisionBody } from '../support/instance-platform.ts';
import { exchange, rawRequest, readAnswer } from '../support/raw-http.ts';
import { instancePath, trialPlatform } from '../support/trial-platform.ts';
import { bodySenders, plan } from './body-senders.ts';

/** How large bodies may be and how they are sent, down to the bytes on the connection: none of it does harm. */

const platform = trialPlatform();
const { ask, broker, instance, provision, traces } = platform;
const { allRefuse, allTake } = bodySenders(platform);

describe('Large bodies', () => {
  test('Bodies of more than 1 MB are refused with 413, also 12 MB, and nothing changes [BDY-10]', async () => {
    for (const size of [1_100_000, 12_000_000]) {
      const body = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'x'.repeat(size) } });
      await allRefuse(413, { body });
    }
  });

  test('Bodies of nearly 1 MB are taken [BDY-10]', async () => {
    const parameters = { a: 'x'.repeat(900_000) };
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    expect((await ask('get', path)).body).toMatchObject({ parameters });
  });

  test.each<[string, string]>([
    ['lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['brackets that never close', '['.repeat(100_000)],
    ['101 lists', `${'['.repeat(101)}${']'.repeat(101)}`],
  ])('Bodies that are too deep are refused with 400: %s [BDY-11]', async (_what, deep) => {
    await allRefuse(400, { body: deep });
    const body = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'DEEP' } }).replace(
      '"DEEP"',
      deep,
    );
    await allRefuse(400, { body });
  });

  test('Bodies with 60 levels are taken and come back [BDY-11]', async () => {
    const parameters = JSON.parse(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`) as Record<string, unknown>;
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    expect((await ask('get', path)).body).toMatchObject({ parameters });
  });

  test('Bodies with 50,000 members are taken [BDY-10]', async () => {
    const parameters = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`p${at}`, at]));
    expect((await provision('trial-features/plain', { body: { parameters } })).status).toBe(201);
  });
});

describe('How the body is sent', () => {
  const chunked = (json: string, size: number): string => {
    const parts = json.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    return `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`;
  };
  const inChunks = { 'content-length': undefined, 'transfer-encoding': 'chunked' };

  test('A body sent in chunks, even of one byte, does not matter [BDY-12]', async () => {
    await allTake((json) => ({ body: chunked(json, 1), headers: inChunks }));
    await allTake((json) => ({ body: chunked(json, 7), headers: inChunks }));
  });

  test('A body sent in chunks of more than 1 MB together is refused with 413 [BDY-10, BDY-12]', async () => {
    const json = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'x'.repeat(3_000_000) } });
    await allRefuse(413, { body: chunked(json, 65_536), headers: inChunks });
  });

  test('A body sent in chunks that are broken is refused with 400 [BDY-12]', async () => {
    await allRefuse(400, { body: 'zz\r\n{}\r\n0\r\n\r\n', headers: inChunks });
    await allRefuse(400, { body: '-1\r\n{}\r\n0\r\n\r\n', headers: inChunks });
  });

  test('A body sent with two lengths, or a length and chunks, is refused, so that nobody can hide a request in another [BDY-12, URL-10]', async () => {
    const hidden = 'DELETE /v2/service_instances/x HTTP/1.1\r\nHost: x\r\n\r\n';
    await allRefuse(400, { body: '{}', headers: { 'content-length': ['2', '3'] } });
    await allRefuse(400, {
      body: `0\r\n\r\n${hidden}`,
      headers: { 'transfer-encoding': 'chunked', 'content-length': `${hidden.length + 5}` },
    });
    await allRefuse(400, {
      body: '{}',
      headers: { 'content-length': undefined, 'transfer-encoding': 'identity, chunked, x' },
    });
  });

  test.each<[string, (json: string) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['GZIP', gzipSync],
    ['identity', (json) => Buffer.from(json)],
  ])('A body sent packed with %s does not matter [BDY-13]', async (encoding, pack) => {
    await allTake((json) => ({ body: pack(json), headers: { 'content-encoding': encoding } }));
  });

  test('A body sent packed so that it is more than 1 MB when unpacked is refused with 413 [BDY-10, BDY-13]', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, ' '));
    expect(bomb.length).toBeLessThan(1_000_000);
    await allRefuse(413, { body: bomb, headers: { 'content-encoding': 'gzip' } });
  });

  test.each<[string, string, number]>([
    ['what is not packed, as gzip', 'gzip', 400],
    ['what is not packed, as br', 'br', 400],
    ['an encoding nobody knows', 'rot13', 415],
    ['two encodings', 'gzip, gzip', 415],
    ['the name of a member of every object', '__proto__', 415],
  ])('A body sent as %s, is refused [BDY-13]', async (_what, encoding, status) => {
    await allRefuse(status, {
      body: JSON.stringify(provisionBody(plan)),
      headers: { 'content-encoding': encoding },
    });
  });

  test('A body sent packed, and cut off, is refused [BDY-13]', async () => {
    const body = gzipSync(JSON.stringify(provisionBody(plan))).subarray(0, 20);
    await allRefuse(400, { body, headers: { 'content-encoding': 'gzip' } });
  });

  test('A body sent with Expect: 100-continue does not matter; the broker asks for it, or answers at once [BDY-12]', async () => {
    const target = instancePath(randomUUID());
    const body = JSON.stringify(provisionBody(plan));
    const request = rawRequest({ method: 'PUT', target, body, headers: { expect: '100-continue' } });
    const received = (await exchange(broker().url, request)).toString();
    const final = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
    expect(readAnswer(Buffer.from(final)).status).toBe(201);
  });

  test('A body sent and then cut off before its end changes nothing [BDY-12]', async () => {
    const before = await traces();
    const body = JSON.stringify(provisionBody(plan));
    const headers = { 'content-length': `${body.length + 10}` };
    const request = rawRequest({ method: 'PUT', target: instancePath(randomUUID()), body, headers });
    await cutOff(request);
    expect((await ask('get', '/v2/catalog')).status).toBe(200);
    expect(await traces()).toEqual(before);
  });
});

describe('What comes after a body on the same connection', () => {
  const next = rawRequest({ target: '/v2/catalog' });
  const open = { connection: 'keep-alive' };
  const inside = 'GET /v2/service_instances/inside HTTP/1.1\r\nHost: x\r\n\r\n';

  /** The codes of all answers to these requests, sent at once. */
  async function codesOf(...requests: readonly Uint8Array[]): Promise<readonly number[]> {
    const received = await exchange(broker().url, Buffer.concat(requests));
    return [...received.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));
  }

  test('What comes after a body on the same connection is the next request, whether the body was taken, refused or not looked at [BDY-12, UNB-09, URL-10]', async () => {
    const target = instancePath(randomUUID());
    const body = JSON.stringify(provisionBody(plan));
    const good = rawRequest({ method: 'PUT', target, body, headers: open });
    const bad = rawRequest({ method: 'PUT', target, body: inside, headers: open });
    const ignored = rawRequest({ method: 'DELETE', target: `${target}?x=y`, body: inside, headers: open });
    const unknown = rawRequest({ method: 'POST', target: '/v2/unknown', body: inside, headers: open });
    const foreign = rawRequest({
      method: 'PUT',
      target,
      body: inside,
      headers: { ...open, authorization: undefined },
    });
    const codes = await codesOf(good, bad, ignored, unknown, foreign, next);
    expect(codes).toEqual([201, 400, 400, 404, 401, 200]);
  });

  test('What comes after a body on the same connection is the next request, also when the body was too large [BDY-10, URL-10]', async () => {
    const body = inside.repeat(30_000);
    const large = rawRequest({ method: 'PUT', target: instancePath(randomUUID()), body, headers: open });
    expect(body.length).toBeGreaterThan(1_100_000);
    const codes = await codesOf(large, next);
    expect([[413], [413, 200]]).toContainEqual(codes);
  });
});

/** Sends this, and closes the connection before there is an answer. */
async function cutOff(bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(broker().url);
  await new Promise<void>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
}
