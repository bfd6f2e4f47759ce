import type { Express, NextFunction, Request, Response } from 'express';
import {
  BadCall,
  type Call,
  type Protocol,
  type Realm,
  type Reply,
  type Route,
} from '../protocols/protocol.ts';
import {
  type AccessEntry,
  accessReason,
  type Observe,
  shownAddress,
  shownPath,
  type TraceRequest,
} from './access-log.ts';
import { type Authenticate, type User, WrongLogin } from './auth.ts';
import { hasBody, passBody, readBody } from './body.ts';
import { pathWithoutQuery, readCall, requireWellFormed } from './call.ts';
import { routingError } from './malformed.ts';
import { createRates } from './rates.ts';
import { echoBack, writeReply } from './reply.ts';

export interface MountSettings {
  readonly protocols: readonly Protocol[];
  readonly authenticate: Authenticate;
  /** Who may call a protocol without a realm of its own. */
  readonly platforms: Realm;
  readonly observe: Observe;
  /** Absent: nobody wants to see requests as traces. */
  readonly trace?: TraceRequest | undefined;
  /** Hears of every login, good or not. */
  readonly onLogin: (request: Request, isGood: boolean) => void;
  /** Hears of every name and password that were refused, before they are; it never rejects. */
  readonly onWrongLogin?: OnWrongLogin | undefined;
  /** Aborted when the server is to end. */
  readonly ending: AbortSignal;
}

export type OnWrongLogin = (tried: {
  readonly protocol: string;
  /** As it may be logged. */
  readonly user: string;
  readonly address: string;
  readonly requestId: string;
}) => Promise<void> | undefined;

/** Where a request arrives: at a route, or at a refusal that is told after the login. */
interface Endpoint {
  readonly protocol: Protocol;
  /** As in the protocol's table; undefined where nothing fits. */
  readonly path?: string;
  readonly target: { readonly route: Route } | { readonly refusal: unknown };
}

type Exchange = (
  endpoint: Endpoint,
  request: Request,
  response: Response,
  observe?: Observe,
) => void | Promise<void>;

/** Puts the protocols' tables of routes on Express. */
export function mount(app: Express, settings: MountSettings): void {
  const fallback = fallbackFinder(settings.protocols);
  const exchange = createTracedExchange(settings);

  for (const protocol of settings.protocols) mountRoutes(app, protocol, exchange);
  app.use((request, response) => {
    const refusal = new BadCall(404, 'There is nothing at this path.');
    return exchange({ protocol: fallback(request.path), target: { refusal } }, request, response);
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const refusal = routingError(error);
    if (response.headersSent) return response.destroy();
    return exchange({ protocol: fallback(request.path), target: { refusal } }, request, response);
  });
}

/** For a path that is no route: the protocol that is meant. Open ones never are, since they would tell what there is. */
function fallbackFinder(protocols: readonly Protocol[]): (path: string) => Protocol {
  const standard = protocols.find(({ open }) => !open) ?? protocols[0];
  if (!standard) throw new Error('There is no protocol to serve.');
  const byStart = new Map(
    protocols
      .filter(({ open }) => !open)
      .flatMap((protocol) => protocol.routes.map(({ path }) => [startOf(path), protocol])),
  );
  return (path) => byStart.get(startOf(path)) ?? standard;
}

function startOf(path: string): string {
  return path.split('/', 2)[1] ?? '';
}

function mountRoutes(app: Express, protocol: Protocol, exchange: Exchange): void {
  for (const [path, routes] of Map.groupBy(protocol.routes, (route) => route.path)) {
    const at = app.route(path);
    for (const route of routes) {
      const endpoint = { protocol, path, target: { route } };
      at[verbOf(route)]((request: Request, response: Response) => exchange(endpoint, request, response));
    }
    const endpoint = { protocol, path, target: { refusal: wrongMethod(routes) } };
    at.all((request: Request, response: Response) => exchange(endpoint, request, response));
  }
}

function verbOf({ method }: Route): Lowercase<Route['method']> {
  return method.toLowerCase() as Lowercase<Route['method']>;
}

function wrongMethod(routes: readonly Route[]): BadCall {
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return new BadCall(405, `This path understands only ${allowed}.`, { Allow: allowed });
}

function createTracedExchange(settings: MountSettings): Exchange {
  const exchange = createExchange(settings);
  const { trace = () => undefined, observe } = settings;
  return (endpoint, request, response) => {
    const { method, url, headers } = request;
    const traced = trace({ method, path: pathWithoutQuery(url), route: endpoint.path, headers });
    if (!traced) return exchange(endpoint, request, response);
    return traced.within(() =>
      exchange(endpoint, request, response, (entry) => {
        traced.within(() => observe(entry));
        traced.end(entry);
      }),
    );
  };
}

/** One request from call to reply. Everything thrown becomes a reply of the protocol that was called. */
function createExchange(settings: MountSettings): Exchange {
  const requireRate = createRateLimit();
  return function exchange(endpoint, request, response, observe = settings.observe) {
    const started = performance.now();
    const { protocol, target } = endpoint;
    const realm = protocol.realm ?? settings.platforms;
    const asked = readCall(request, 'route' in target ? target.route.method : request.method);
    let principal: string | undefined;
    try {
      const user = protocol.open ? undefined : settings.authenticate({ request, response }, realm, asked);
      if (!(user instanceof Promise)) return serveTo(user);
      // Nobody, until it is known better.
      settings.onLogin(request, false);
      return user.then(serveTo, (error: unknown) =>
        tellingWrong(settings, endpoint, request, asked)(error).then(refuse),
      );
    } catch (error) {
      return refuse(error);
    }

    function serveTo(user: User | undefined): void | Promise<void> {
      if (user) settings.onLogin(request, true);
      principal = user?.name;
      try {
        if (user) requireRate(user, realm);
        const { platform, readsOnly } = user ?? {};
        const reply = serve(endpoint, { ...asked, principal, platform, readsOnly }, request, response);
        // Not awaited when it is there already: that would double the price of the catalog.
        return reply instanceof Promise ? reply.then(answer, refuse) : answer(reply);
      } catch (error) {
        return refuse(error);
      }
    }

    function refuse(error: unknown): void {
      answer(protocol.refuse(error), error);
    }

    function answer(reply: Reply, thrown?: unknown): void {
      const bytes = writeReply(response, reply, {
        echoed: echoBack(protocol, asked.headers),
        confidential: !protocol.open,
        ending: settings.ending,
      });
      const { status } = reply;
      const ms = performance.now() - started;
      observe(accessEntry(endpoint, request, { asked, status, ms, bytes, principal, thrown }));
    }
  };
}

/** Refuses who asks more often than its realm lets it; who that is, is known by a login that was right. */
function createRateLimit(): (user: User, realm: Realm) => void {
  const take = createRates();
  return function requireRate({ name: principal, platform }, realm) {
    const limit = realm.limitOf?.({ principal, platform });
    const waitMs = limit ? take(limit.counted, limit.rate) : 0;
    if (waitMs === 0) return;
    throw new BadCall(429, 'There are more requests with this login than are served. Try again later.', {
      'Retry-After': String(Math.ceil(waitMs / 1000)),
    });
  };
}

function accessEntry(
  { protocol, path: route }: Endpoint,
  { method, ip }: Request,
  told: Pick<AccessEntry, 'status' | 'ms' | 'bytes' | 'principal'> & {
    readonly asked: Call;
    readonly thrown: unknown;
  },
): AccessEntry {
  const { asked, thrown, ...rest } = told;
  return {
    ...rest,
    requestId: asked.requestId,
    protocol: protocol.name,
    method,
    path: shownPath(asked.path),
    route,
    address: shownAddress(ip),
    triedUser: thrown instanceof WrongLogin ? thrown.user : undefined,
    detail: accessReason(rest.status, thrown),
  };
}

/** Gives the error once it is told. */
function tellingWrong(
  { onWrongLogin }: MountSettings,
  { protocol }: Endpoint,
  { ip }: Request,
  { requestId }: Call,
): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (!(error instanceof WrongLogin)) return error;
    const address = shownAddress(ip) ?? '';
    await onWrongLogin?.({ protocol: protocol.name, user: error.user, address, requestId });
    return error;
  };
}

function serve(
  { protocol, target }: Endpoint,
  call: Call,
  request: Request,
  response: Response,
): Reply | Promise<Reply> {
  requireWellFormed(request);
  if ('refusal' in target) throw target.refusal;
  protocol.admit?.(call);
  const { body, handler } = target.route;
  if (!body) return hasBody(request) ? passBody(request).then(() => handler(call)) : handler(call);
  return readBody(body, request, response).then((read) => handler({ ...call, body: read }));
}
