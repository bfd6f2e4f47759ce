import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { listen } from './database-gate.ts';
import type { Authority } from './certificates.ts';

/** What becomes of a request: `away` before it is heard, `unheard` when it was done and the answer is lost. */
type Fate = 'well' | 'away' | 'unheard' | number;

interface Permission {
  readonly uuid: string;
  readonly path: string;
  readonly actor: string;
  readonly operations: readonly string[];
}

/** A CredHub 2 with its UAA, as far as brokers ask them. */
export interface Credhub {
  readonly url: string;
  /** The latest value by name. */
  readonly values: Map<string, unknown>;
  /** How often each was set. */
  readonly versions: Map<string, number>;
  permissions(): readonly Permission[];
  /** As an operator of CredHub does it. */
  grant(path: string, actor: string, operations: readonly string[]): void;
  /** `<method> <path>` of each request that was heard. */
  readonly asked: string[];
  fate: (asked: string) => Fate;
  /** Tokens that were given before are refused from now on. */
  forgetTokens(): void;
  close(): Promise<void>;
}

/** @param client of UAA, as `name:secret` */
export async function openCredhub(authority: Authority, client: string): Promise<Credhub> {
  const { certFile, keyFile } = authority.issue();
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile), ca: authority.cert };
  const [values, versions] = [new Map<string, unknown>(), new Map<string, number>()];
  let permissions: readonly Permission[] = [];
  const tokens = new Set<string>();
  const asked: string[] = [];

  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false });
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', address);
      const what = `${request.method} ${url.pathname}`;
      const fate = hub.fate(what);
      if (fate === 'away') return void request.socket.destroy();
      asked.push(what);
      if (typeof fate === 'number') return end(response, fate, { error: 'It is not to be.' });
      const [status, body] = answer(what, url.searchParams, Buffer.concat(chunks).toString(), request);
      if (fate === 'well') end(response, status, body);
    });
  });

  function answer(
    what: string,
    query: URLSearchParams,
    text: string,
    request: IncomingMessage,
  ): readonly [status: number, body?: unknown] {
    if (what === 'GET /info') return [200, { 'auth-server': { url: address }, app: { name: 'CredHub' } }];
    if (what === 'POST /oauth/token') return login(new URLSearchParams(text));
    const isByCertificate = (request.socket as TLSSocket).authorized;
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!isByCertificate && !tokens.has(token)) return [401, { error: 'invalid_token' }];
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    if (what.includes('permissions')) return onPermissions(what, query, body);
    return onData(what, query, body);
  }

  function login(form: URLSearchParams): readonly [number, unknown] {
    const given = `${form.get('client_id')}:${form.get('client_secret')}`;
    if (form.get('grant_type') !== 'client_credentials' || given !== client)
      return [401, { error: 'unauthorized', error_description: 'Bad credentials' }];
    const token = randomUUID();
    tokens.add(token);
    return [200, { access_token: token, token_type: 'bearer', expires_in: 3600 }];
  }

  function onData(
    what: string,
    query: URLSearchParams,
    { name: given, type, value }: Record<string, unknown>,
  ): readonly [number, unknown?] {
    if (what.startsWith('PUT')) {
      const name = String(given);
      if (!/^(\/[\w.:()[\]-]+)+$/.test(name) || name.length > 255 || type !== 'json')
        return [400, { error: 'The request is wrong.' }];
      values.set(name, value);
      versions.set(name, (versions.get(name) ?? 0) + 1);
      return [200, { id: randomUUID(), name, type, value }];
    }
    const name = query.get('name') ?? '';
    const path = query.get('path');
    if (path !== null) {
      const found = [...values.keys()].filter((one) => one.startsWith(`${path}/`));
      return [200, { credentials: found.map((one) => ({ name: one })) }];
    }
    if (!values.has(name)) return [404, { error: 'The credential does not exist.' }];
    if (what.startsWith('GET')) return [200, { data: [{ name, type: 'json', value: values.get(name) }] }];
    values.delete(name);
    return [204];
  }

  function onPermissions(
    what: string,
    query: URLSearchParams,
    body: Record<string, unknown>,
  ): readonly [number, unknown?] {
    const isOf = ({ path, actor }: { path?: unknown; actor?: unknown }) =>
      permissions.find((one) => one.path === path && one.actor === actor);
    if (what.startsWith('POST')) {
      if (isOf(body)) return [409, { error: 'A permission entry for this actor and path already exists.' }];
      grant(String(body['path']), String(body['actor']), body['operations'] as readonly string[]);
      return [201, isOf(body)];
    }
    if (what === 'GET /api/v1/permissions') {
      const name = query.get('credential_name');
      if (!values.has(name ?? '')) return [404, { error: 'The credential does not exist.' }];
      return [200, { credential_name: name, permissions: permissions.filter(({ path }) => path === name) }];
    }
    const uuid = what.split('/').at(-1);
    const found = what.startsWith('GET')
      ? isOf({ path: query.get('path'), actor: query.get('actor') })
      : permissions.find((one) => one.uuid === uuid);
    if (!found) return [404, { error: 'The permission does not exist.' }];
    if (what.startsWith('DELETE')) permissions = permissions.filter((one) => one !== found);
    return [200, found];
  }

  function grant(path: string, actor: string, operations: readonly string[]): void {
    permissions = [...permissions, { uuid: randomUUID(), path, actor, operations }];
  }

  const address = `https://localhost:${await listen(server)}`;
  const hub: Credhub = {
    url: address,
    values,
    versions,
    permissions: () => permissions,
    grant,
    asked,
    fate: () => 'well',
    forgetTokens: () => tokens.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return hub;
}

function end(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
}
