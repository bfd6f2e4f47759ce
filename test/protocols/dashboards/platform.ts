import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { listen } from '../../support/database-gate.ts';

/** What somebody may do with an instance, by its id; `silent`: nobody answers. */
export type May = Readonly<Record<string, 'read' | 'manage' | 'nothing' | 'older' | 'broken' | 'signed out'>>;

/** An OpenID provider and a Cloud Controller, as small as they can be and as strict as they are. */
export interface Platform {
  readonly url: string;
  may: May;
  /** What was asked of Cloud Controller, in turn. */
  readonly asked: string[];
  /** The tokens that it gave out. */
  readonly tokens: string[];
  /** Signs with another key from now on, of which only the key set knows. */
  rotate(): Promise<void>;
  /** Seconds that its clock is ahead. */
  skew: number;
  /** Whoever signs in: the provider sends them back with an error. */
  refuses: boolean;
  /** What the ID token says beside what is right. */
  lies: object;
  close(): Promise<void>;
}

export const client = { id: 'dashboard-client', secret: 'a-client-secret' };

export async function openPlatform(): Promise<Platform> {
  let key = await newKey();
  const codes = new Map<string, Readonly<Record<string, string>>>();
  const server = createServer((request, response) => void answer(request, response));
  const url = `http://127.0.0.1:${await listen(server)}`;
  const platform = {
    url,
    may: {} as May,
    asked: [] as string[],
    tokens: [] as string[],
    skew: 0,
    refuses: false,
    lies: {},
    rotate: async () => void (key = await newKey()),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  } satisfies Platform;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/') return void json(200, { links: { uaa: { href: `${url}/uaa` } } });
    if (pathname === '/uaa/.well-known/openid-configuration') return void json(200, discovery(url));
    if (pathname === '/uaa/keys') return void json(200, { keys: [key.jwk] });
    if (pathname === '/uaa/authorize') return authorize(searchParams, response);
    if (pathname === '/uaa/token') return void json(...(await exchange(await bodyOf(request))));
    const [, version, id = ''] = /^\/(v[23])\/service_instances\/([^/]+)\/permissions$/.exec(pathname) ?? [];
    platform.asked.push(`${version} ${id}`);
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const may = platform.may[id];
    if (!platform.tokens.includes(token) || may === 'signed out') return void json(401, {});
    if (may === 'broken') return void json(500, {});
    if (may === undefined || (may === 'older' && version === 'v3')) return void json(404, {});
    json(200, { read: may !== 'nothing', manage: may === 'manage' });
  }

  /** The user has signed in already, as those of a platform have. */
  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const asked = Object.fromEntries(query);
    const back = new URL(asked['redirect_uri'] ?? '');
    back.searchParams.set('state', asked['state'] ?? '');
    const isWhole = asked['client_id'] === client.id && asked['code_challenge_method'] === 'S256';
    if (platform.refuses || !isWhole) back.searchParams.set('error', 'access_denied');
    else {
      const code = randomUUID();
      codes.set(code, asked);
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  async function exchange(form: URLSearchParams): Promise<[number, object]> {
    const asked = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const verifier = new TextEncoder().encode(form.get('code_verifier') ?? '');
    const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', verifier)).toString('base64url');
    const isRight =
      form.get('client_id') === client.id &&
      form.get('client_secret') === client.secret &&
      form.get('redirect_uri') === asked?.['redirect_uri'] &&
      challenge === asked?.['code_challenge'];
    if (!isRight) return [400, { error: 'invalid_grant' }];
    const now = Math.floor(Date.now() / 1000) + platform.skew;
    const token = `token-${randomUUID()}`;
    platform.tokens.push(token);
    const claims = { nonce: asked['nonce'], iss: `${url}/uaa/token`, aud: client.id, sub: 'somebody' };
    const idToken = await new SignJWT({ ...claims, iat: now, exp: now + 600, ...platform.lies })
      .setProtectedHeader({ alg: 'RS256', kid: key.jwk.kid })
      .sign(key.privateKey);
    return [200, { access_token: token, token_type: 'bearer', expires_in: 600, id_token: idToken }];
  }
  return platform;
}

function discovery(url: string): object {
  return {
    issuer: `${url}/uaa/token`,
    authorization_endpoint: `${url}/uaa/authorize`,
    token_endpoint: `${url}/uaa/token`,
    jwks_uri: `${url}/uaa/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
  };
}

async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, alg: 'RS256', use: 'sig', kid: await calculateJwkThumbprint(jwk) } };
}

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const part of request) text += String(part);
  return new URLSearchParams(text);
}
