import type { Express, NextFunction, Request, Response } from 'express';
import type { SmallState } from './small-state.ts';

/** Faults of the small broker in what no platform asks for, and in requests that come at once. */

export type Step = (request: Request, response: Response, next: NextFunction) => void;

/** What is wrong already in the catalog. */
export function spoilCatalog({ catalog, fault }: SmallState): void {
  const [service] = catalog.services;
  if (!service) return;
  if (fault('hides-bindings')) service['bindings_retrievable'] = false;
  if (fault('breaks-hidden-fetch')) service['instances_retrievable'] = false;
  if (fault('breaks-on-rotation')) service.plans[0] = { ...service.plans[0], binding_rotatable: false };
}

/** What is answered before a login is asked for. */
export function oddRequests(state: SmallState): Step {
  const { catalog, fault } = state;
  return (request, response, next) => {
    const isAnonymous = request.header('authorization') === undefined;
    if (fault('goes-away') && (request.method === 'PUT' || state.seen.has('gone'))) {
      state.seen.add('gone');
      return void request.socket.destroy();
    }
    if (fault('traces-back') && request.method === 'TRACE') return void response.json(request.headers);
    if (fault('tells-nowhere') && isAnonymous && request.path === '/v2/nowhere')
      return void response
        .status(404)
        .json({ description: `There is ${catalog.services[0]?.['id'] as string}.` });
    if (fault('dots-open') && isAnonymous && request.path.includes('..')) return void response.json(catalog);
    next();
  };
}

/** Requests that are sent at once are there at once when a fault of crowds is planted. */
export function hold({ crowd, fault }: SmallState): Step {
  const isPlanted = crowds.some((name) => fault(name));
  return (request, response, next) => {
    if (!isPlanted || request.method === 'GET') return next();
    const key = `${request.method} ${request.path}`;
    const count = (change: number) => crowd.set(key, (crowd.get(key) ?? 0) + change);
    count(1);
    response.once('close', () => count(-1));
    // What has arrived meanwhile is read before the second of these is due.
    setTimeout(() => setImmediate(() => setImmediate(next)), 50);
  };
}

const crowds = [
  'crowd-provision',
  'crowd-parameters',
  'crowd-plans',
  'crowd-bind',
  'crowd-delete',
  'crowd-unbind',
  'crowd-bind-and-delete',
  'crowd-update',
  'crowd-provision-and-delete',
  'crowd-different',
  'crowd-rotation',
];

/** How bodies come. */
export function oddBodies({ fault }: SmallState): Step {
  return (request, response, next) => {
    const type = request.header('content-type');
    const no = (status: number) => void response.status(status).json({ description: 'Not so.' });
    if (fault('type-breaks') && type === 'application/xml') return no(500);
    if (fault('type-as-written') && type?.startsWith('Application/')) return no(415);
    if (fault('type-415') && type === 'text/plain') return no(415);
    if (fault('chunked-411') && request.header('transfer-encoding') !== undefined) return no(411);
    if (fault('encoding-breaks') && request.header('content-encoding') === 'nonsense') return no(500);
    if (fault('query-breaks') && request.url.includes('[b]')) return no(500);
    if (fault('long-breaks') && request.path.length > 5000) return no(500);
    if (fault('nul-breaks') && request.path.includes('%00')) return no(500);
    if (fault('proto-breaks') && request.path.endsWith('/__proto__/last_operation')) return no(500);
    next();
  };
}

/** Paths and methods that there are not. */
export function oddRoutes(app: Express, { catalog, fault }: SmallState): void {
  const no = (response: Response, status: number) =>
    void response.status(status).json({ description: 'No.' });
  if (fault('answers-anything')) app.get('/v2/nowhere', (_request, response) => void response.json({}));
  if (fault('silent-405')) app.post('/v2/catalog', (_request, response) => no(response, 405));
  if (fault('head-breaks')) app.head('/v2/catalog', (_request, response) => no(response, 500));
  if (fault('options-tell')) app.options('/v2/catalog', (_request, response) => void response.json(catalog));
  if (fault('empty-id'))
    app.put('/v2/service_instances/', (_request, response) => void response.status(201).json({}));
}
