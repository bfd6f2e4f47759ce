import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { endpointOf } from '../../../src/cli/check/probe/endpoint.ts';
import { bindingRoutes } from './small-bindings.ts';
import { smallCatalog, type SmallCatalog } from './small-catalog.ts';
import { instanceRoutes } from './small-instances.ts';
import { hold, oddBodies, oddRequests, oddRoutes, spoilCatalog, type Step } from './small-oddities.ts';
import { Refused, type SmallState } from './small-state.ts';

/** What is wrong with it, by the names that stand in its code; empty: it is right. */
export type Faults = ReadonlySet<string>;

export interface SmallBroker {
  readonly url: string;
  /** What it has made and what was not removed. */
  readonly state: SmallState;
  stop(): Promise<void>;
}

export interface SmallOptions {
  readonly faults?: readonly string[];
  /** Everything takes its time; else everything is done at once. */
  readonly slow?: boolean;
  readonly spoil?: ((catalog: SmallCatalog) => void) | undefined;
}

export const smallLogin = { username: 'small', password: 'a-small-password' };

/**
 * A broker that is none of ours: it keeps in memory what was asked for, as the specification says, or wrongly in
 * exactly the ways that are named.
 */
export async function startSmallBroker(options: SmallOptions = {}): Promise<SmallBroker> {
  const catalog = smallCatalog();
  options.spoil?.(catalog);
  const state: SmallState = {
    catalog,
    slow: options.slow ?? false,
    fault: (name) => options.faults?.includes(name) ?? false,
    instances: new Map(),
    operations: new Map(),
    crowd: new Map(),
    counts: new Map(),
    seen: new Set(),
  };
  spoilCatalog(state);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(
    identify(state),
    oddRequests(state),
    authenticate(state),
    admit(state),
    hold(state),
    oddBodies(state),
  );
  app.use(express.text({ type: () => true, limit: '1mb' }));
  oddRoutes(app, state);
  app.get('/v2/catalog', (request, response) => tellCatalog(state, request, response));
  instanceRoutes(app, state);
  bindingRoutes(app, state);
  app.use((_request, response) => void response.status(404).json({ description: 'There is nothing here.' }));
  app.use(refuse(state));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function identify({ fault }: SmallState): Step {
  return (request, response, next) => {
    const sent = request.header('x-broker-api-request-identity');
    const isSilent = fault(request.path === '/v2/catalog' ? 'no-identity' : 'no-identity-of-things');
    if (sent !== undefined && !isSilent) response.setHeader('x-broker-api-request-identity', sent);
    next();
  };
}

function authenticate(state: SmallState): Step {
  const { fault, counts } = state;
  const right = Buffer.from(`${smallLogin.username}:${smallLogin.password}`).toString('base64');
  return (request, response, next) => {
    const [scheme = '', given = ''] = (request.header('authorization') ?? '').split(' ');
    const isBasic = fault('scheme-as-written') ? scheme === 'Basic' : scheme.toLowerCase() === 'basic';
    const user = Buffer.from(given, 'base64').toString().split(':')[0];
    const wrong = counts.get('wrong logins') ?? 0;
    counts.set('wrong logins', user === 'nobody-here' ? wrong + 1 : 0);
    if (isBasic && given === right && fault('tires-of-logins') && wrong >= 10)
      return void response.status(429).json({ description: 'Too many.' });
    if (isBasic && given === right) return next();
    if (fault('makes-without-login')) makeFor(state, request);
    if (fault('open-fetch') && request.method === 'GET' && request.path.includes('service_bindings'))
      return next();
    if (fault('any-password') && isBasic && user === 'nobody-here') return next();
    if (fault('breaks-on-scheme') && scheme === 'Bearer') return void response.status(500).json({});
    if (fault('version-before-login') && request.header('x-broker-api-version') === 'none')
      return void response.status(412).json({ description: 'Which version?' });
    if (!fault('no-challenge')) response.setHeader('www-authenticate', 'Basic realm="small"');
    response.status(401).json({
      description: fault('telling-401')
        ? '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a01 is not for you.'
        : 'Who are you?',
    });
  };
}

/** Makes an instance for who is refused. */
function makeFor({ instances, catalog }: SmallState, { method, path }: Request): void {
  const [, id] = /^\/v2\/service_instances\/([^/]+)$/.exec(path) ?? [];
  if (method !== 'PUT' || id === undefined) return;
  const asked = { service_id: catalog.services[0]?.['id'] as string };
  instances.set(id, { asked, ready: true, busy: undefined, bindings: new Map() });
}

function admit({ fault }: SmallState): Step {
  return (request, response, next) => {
    const version = request.header('x-broker-api-version');
    if (version === undefined)
      return void response
        .status(fault('no-version-412') ? 412 : 400)
        .json({ description: 'Say the version in X-Broker-API-Version.' });
    const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
    if (fault('exact-version') && Number(minor) > 17)
      return void response.status(412).json({ description: 'New.' });
    if (major === undefined && fault('breaks-on-version')) return void response.status(500).json({});
    const refused = fault('version-403') ? 403 : 412;
    if (major !== '2')
      return void response
        .status(major === undefined ? 412 : refused)
        .json(fault('silent-412') ? {} : { description: 'This speaks 2.x.' });
    const originating = request.header('x-broker-api-originating-identity');
    const [platform, who] = (originating ?? '').split(' ');
    if (fault('breaks-on-identity') && originating !== undefined && who === undefined)
      return void response.status(500).json({ description: 'It broke.' });
    if (fault('unknown-platform-403') && platform === 'elsewhere')
      return void response.status(403).json({ description: 'Not from there.' });
    if (fault('heeds-override') && request.header('x-http-method-override') !== undefined)
      return void response.status(405).json({ description: 'Not so.' });
    if (fault('one-platform') && platform === 'kubernetes')
      return void response.status(400).json({ description: 'Which platform is that?' });
    next();
  };
}

function tellCatalog({ catalog, fault, seen }: SmallState, request: Request, response: Response): void {
  if (fault('tired-catalog') && seen.has('catalog')) throw new Refused(503, 'Not again.');
  const isSlow = fault('slow-catalog') && seen.has('catalog');
  const hasNewIds = fault('new-ids') && seen.has('catalog');
  seen.add('catalog');
  if (fault('breaks-on-conditions') && request.header('if-none-match') === 'no such thing')
    throw new Refused(400, 'Which condition?');
  const text = JSON.stringify(catalog).replaceAll(/(?<=7a0)5/g, hasNewIds ? '9' : '5');
  if (fault('no-304-by-date')) response.setHeader('last-modified', new Date(0).toUTCString());
  const tag = `"${createHash('sha256').update(text).digest('hex')}"`;
  response.setHeader('etag', tag);
  if (request.header('if-none-match') === tag && !fault('no-304')) return void response.status(304).end();
  response.setHeader('content-type', fault('html-catalog') ? 'text/html' : 'application/json');
  // Express would answer conditions by itself.
  setTimeout(() => response.end(text), isSlow ? 10_100 : 0);
}

function refuse({ fault }: SmallState) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) return next(error);
    const { status, body } =
      error instanceof Refused
        ? error
        : new Refused((error as { status?: number }).status ?? 500, String(error));
    const endpoint = endpointOf(request);
    const is = (name: string, where: string) => fault(name) && `${endpoint} ${status}` === where;
    if (is('text-errors', 'get instance operation 404'))
      return void response.status(status).type('text').send('No.');
    if (fault('bad-encoding-500') && error instanceof URIError) return void response.status(500).json(body);
    if (fault('huge-breaks') && status === 413) return void response.status(500).json(body);
    response.status(status);
    if (is('html-errors', 'put instance 400')) response.setHeader('content-type', 'text/html');
    const odd = {
      ...(is('number-error', 'get instance 404') ? { error: 17 } : {}),
      ...(is('two-words', 'patch instance 404') ? { error: 'not found' } : {}),
      ...(is('usable-in-404', 'get binding 404') ? { instance_usable: false } : {}),
      ...(is('traces', 'patch instance 400') ? { description: 'No.\n    at update (/small.js:1:1)' } : {}),
      ...(is('conflict-word', 'put instance 409') ? { error: 'ConcurrencyError' } : {}),
    };
    if (!response.hasHeader('content-type')) response.type('json');
    response.end(JSON.stringify(is('silent-errors', 'put binding 409') ? {} : { ...body, ...odd }));
  };
}
