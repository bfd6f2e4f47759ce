import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPrincipals, type PrincipalsFile } from '../../src/program/principals/file.ts';
import { checkTokens, createKeySets } from '../../src/program/principals/tokens.ts';
import { aServer, showing, type Running } from '../http/test-server.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** Logins by tokens (RFC 7519) that an issuer signs, whose keys are had by HTTP. */

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

const issuer = 'https://uaa.example.com/oauth/token';
let pair: Pair;
let stranger: Pair;
let keys: readonly JWK[];
let issuing: Server;
let asked: number;
/** Of the issuer's answers. */
let status: number;
let accounts: PrincipalsFile;
let running: Running;

beforeAll(async () => {
  pair = await generateKeyPair('RS256');
  stranger = await generateKeyPair('RS256');
  keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256' }];
});
beforeEach(async () => {
  asked = 0;
  status = 200;
  issuing = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => void issuing.listen(0, '127.0.0.1', resolve));
  const jwks = `http://127.0.0.1:${(issuing.address() as AddressInfo).port}/token_keys`;
  accounts = await open({
    platforms: [
      { name: 'acme', jwt: { issuer, audience: 'purveyor', jwks, subject: 'cc' } },
      { name: 'blue', jwt: { issuer, audience: 'purveyor', jwks, claims: { scope: 'broker.blue' } } },
    ],
  });
  running = await aServer(showing(), { further: accounts.platforms });
});
afterEach(async () => {
  accounts.close();
  await running.server.close();
  await new Promise((resolve) => issuing.close(resolve));
});

async function open(content: object): Promise<PrincipalsFile> {
  const file = join(scratchDirectory('tokens'), 'principals.json');
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  const taken = { platforms: [], operators: [] };
  return openPrincipals({ file, taken, log: { note: () => undefined } });
}

interface Signed {
  readonly claims?: JWTPayload;
  readonly by?: Pair['privateKey'];
  readonly kid?: string;
  readonly expires?: string;
}

function token({ claims, by = pair.privateKey, kid = 'one', expires = '5m' }: Signed = {}): Promise<string> {
  const all = { iss: issuer, aud: 'purveyor', sub: 'cc', ...claims };
  const signing = new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid });
  return (expires === '' ? signing : signing.setExpirationTime(expires)).sign(by);
}

function ask(bearer: string): Promise<Response> {
  return running.ask('/things', { headers: { authorization: `Bearer ${bearer}` } });
}

test('A token of the issuer lets in whom its subject or a claim is of, and its keys are fetched once.', async () => {
  const first = await token();
  for (const one of [first, first, await token({ claims: { sub: 'x', scope: 'a broker.blue' } })])
    expect(await ask(one)).toMatchObject({ status: 200 });
  expect(await ask(await token({ claims: { sub: 'y', scope: ['broker.blue'] } }))).toMatchObject({
    status: 200,
  });
  expect(running.accesses.map(({ principal }) => principal)).toEqual(['acme', 'acme', 'blue:x', 'blue:y']);
  expect(asked).toBe(1);
});

test.each<[what: string, signed: Signed | (() => Signed)]>([
  ['is of another audience', { claims: { aud: 'another' } }],
  ['is of another issuer', { claims: { iss: 'https://uaa.example.org' } }],
  ['is of another subject', { claims: { sub: 'someone' } }],
  ['has expired', { expires: '-5m' }],
  ['never expires', { expires: '' }],
  ['counts only later', { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } }],
  ['is signed with another key', () => ({ by: stranger.privateKey })],
  ['names a key that there is not', { kid: 'two' }],
])('A token that %s lets nobody in.', async (_what, signed) => {
  const answer = await ask(await token(typeof signed === 'function' ? signed() : signed));
  expect(answer.status).toBe(401);
  expect(running.accesses).toEqual([expect.objectContaining({ status: 401, triedUser: 'a token' })]);
});

test('What is no token, or signs itself with what everybody knows, lets nobody in.', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = part({ iss: issuer, aud: 'purveyor', sub: 'cc', exp: 9_999_999_999 });
  const known = Buffer.from(JSON.stringify(keys[0]));
  const signed = await new SignJWT({ iss: issuer, aud: 'purveyor', sub: 'cc' })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .setExpirationTime('5m')
    .sign(known);
  for (const one of ['x', 'a.b.c', `${part({ alg: 'none' })}.${claims}.`, signed])
    expect((await ask(one)).status).toBe(401);
});

test('Without the keys of the issuer nobody can tell, and the next request asks for them again.', async () => {
  status = 500;
  const good = await token();
  const answer = await ask(good);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  status = 200;
  expect((await ask(good)).status).toBe(200);
});

test('A token is looked at again after a minute, and counts no longer than it says.', async () => {
  let now = Date.now();
  const rule = { issuer, audience: 'purveyor', keys: { keys: [...keys] }, claims: {} };
  const check = checkTokens([{ username: 'acme', rule }], createKeySets(), () => now);
  const good = await token();
  const isRemembered = () => !(check(good) instanceof Promise);
  expect(await check(good)).toMatchObject({ name: 'acme:cc' });
  expect(isRemembered()).toBe(true);
  now += 61_000;
  expect(isRemembered()).toBe(false);
});

test('Operators log in by tokens too, with their roles, and a platform by a token is held to its own instances.', async () => {
  const jwt = { issuer, audience: 'purveyor', jwks: { keys }, claims: { groups: 'sre' } };
  const both = await open({
    platforms: [{ name: 'acme', jwt: { ...jwt, claims: {} } }],
    operators: [{ username: 'sre', role: 'viewer', rate: '5/s', jwt }],
  });
  try {
    const one = await token({ claims: { groups: ['sre'], sub: 'alice' } });
    expect(await both.operators.tokens?.()?.(one)).toMatchObject({ name: 'sre:alice', readsOnly: true });
    expect(both.operators.limitOf?.({ principal: 'sre:alice' })).toMatchObject({ counted: 'operator sre' });
    expect(await both.named.tokens?.()?.(one)).toMatchObject({ platform: 'acme' });
    expect(await both.operators.tokens?.()?.(await token())).toBeUndefined();
  } finally {
    both.close();
  }
});

test.each<[what: string, jwt: object, sentence: RegExp]>([
  ['without an issuer', { issuer: '' }, /jwt\.issuer: This must be a text\./],
  [
    'with keys by plain HTTP',
    { jwks: 'http://uaa.example.com/keys' },
    /jwt\.jwks: This must be an https address/,
  ],
  ['with claims that are numbers', { claims: { n: 1 } }, /jwt: subject must be a text, and claims an object/],
  [
    'with a word that there is not',
    { audiences: 'x' },
    /jwt\.audiences: There is no such key here\. Did you mean 'audience'/,
  ],
])('A rule for tokens %s is refused.', async (_what, change, sentence) => {
  const jwt = { issuer, audience: 'purveyor', jwks: { keys }, ...change };
  await expect(open({ platforms: [{ name: 'acme', jwt }] })).rejects.toThrow(sentence);
});
