import type { Express, Request, Response } from 'express';
import { isObject, sameJson, type Json, type JsonObject } from '../../../src/broker/json.ts';
import { areAllowed } from './small-catalog.ts';
import {
  carryOut,
  isCrowded,
  concurrency,
  objectIn,
  Refused,
  repeat,
  requireAsync,
  requireObject,
  requireText,
  tellOperation,
  textOf,
  type SmallInstance,
  type SmallState,
} from './small-state.ts';

/** Provision, fetch, update and deprovision of the small broker. */
export function instanceRoutes(app: Express, state: SmallState): void {
  const path = '/v2/service_instances/:instance';
  app.put(path, (request, response) => provision(state, request, response));
  app.get(path, (request, response) => fetchInstance(state, request, response));
  app.patch(path, (request, response) => update(state, request, response));
  app.delete(path, (request, response) => deprovision(state, request, response));
  app.get(`${path}/last_operation`, (request, response) => {
    tellOperation(state, request.path.replace(/\/last_operation$/, ''), request, response);
  });
}

function provision(state: SmallState, request: Request, response: Response): void {
  const { fault } = state;
  const id = request.params['instance'] as string;
  if (fault('deep-breaks') && (request.body as string).includes('[[[[')) throw new Refused(500, 'It broke.');
  if (fault('odd-json-breaks') && (request.body as string).includes('ud800'))
    throw new Refused(500, 'It broke.');
  const given = objectIn(state, request);
  const inherited = Object.getOwnPropertyDescriptor(given, '__proto__')?.value as JsonObject | undefined;
  const body = fault('reads-prototypes') ? { ...inherited, ...given } : given;
  if ((request.body as string).includes('"polluted"')) state.seen.add('polluted');
  if (fault('no-tildes') && id.includes('~')) throw new Refused(400, 'What an id.');
  if (fault('no-spaces') && id.includes(' ')) throw new Refused(400, 'What an id.');
  requireProvision(state, id, body);
  requireNoCrowd(state, request);
  const known = state.instances.get(id);
  if (fault('remembers-ids') && !known && state.operations.get(request.path)?.kind === 'delete')
    return void response.status(200).json({});
  if (known) return again(state, request, response, known, body);
  requireAsync(state, request, 'provision');
  const made: SmallInstance = { asked: body, ready: false, busy: undefined, bindings: new Map() };
  state.instances.set(id, made);
  const dashboard = fault('relative-dashboard')
    ? `/d/${id}`
    : `http://small.test/d/${fault('one-dashboard') ? '' : id}`;
  const first = {
    ...(fault('odd-labels') ? { metadata: { labels: ['text'] } } : {}),
    ...(fault('late-dashboard') ? {} : { dashboard_url: dashboard }),
  };
  carryOut(state, request, response, {
    thing: made,
    kind: 'create',
    status: fault('created-200') ? 200 : 201,
    answer: first,
    accepted: first,
    end() {
      made.ready = true;
      made.busy = undefined;
    },
  });
}

/** @throws Refused */
function requireNoCrowd(state: SmallState, { path }: Request): void {
  const { fault } = state;
  if (fault('crowd-provision-and-delete') && isCrowded(state, 'DELETE', path, 0))
    throw new Refused(500, 'Both at once.');
  const isAlone = !isCrowded(state, 'PUT', '/v2/service_instances') || isCrowded(state, 'PUT', path);
  if (fault('crowd-different') && !isAlone) throw new Refused(503, 'Too many.');
}

/** What must be there, and of what type. @throws Refused */
function requireProvision(state: SmallState, id: string, body: JsonObject): void {
  const { fault } = state;
  try {
    for (const name of ['service_id', 'plan_id', 'organization_guid', 'space_guid']) {
      if (fault(`no-${name}`) && body[name] === undefined) continue;
      if (fault('is-polluted') && state.seen.has('polluted') && name === 'space_guid') continue;
      if (fault('empty-ids') && body[name] === '' && name.endsWith('guid')) continue;
      if (fault('number-ids') && body[name] === 17 && name.endsWith('guid')) continue;
      requireText(body, name);
    }
    if (!fault('any-parameters')) requireObject(body, 'parameters');
    if (!fault('any-context')) requireObject(body, 'context');
    if (fault('null-breaks') && body['context'] === null) throw new Refused(500, 'It broke.');
    if (fault('strict-members') && 'x-conformance' in body) throw new Refused(400, 'What is x-conformance?');
    if (fault('known-contexts')) requireKnownContext(body);
    requireSold(state, body);
    if (!areAllowed(isObject(body['parameters']) ? body['parameters'] : undefined))
      if (!fault('unchecked-parameters'))
        throw new Refused(fault('parameters-422') ? 422 : 400, 'Such parameters are not allowed.');
    requireMaintenance(state, body);
  } catch (error) {
    // Refused, and made all the same.
    const isUnchecked =
      fault('makes-what-it-refuses') && isObject(body['parameters']) && !areAllowed(body['parameters']);
    if (isUnchecked)
      state.instances.set(id, { asked: body, ready: true, busy: undefined, bindings: new Map() });
    throw error;
  }
}

function requireKnownContext({ context }: JsonObject): void {
  const platform = isObject(context) ? context['platform'] : 'cloudfoundry';
  if (platform === 'elsewhere') throw new Refused(400, 'Which platform is that?');
}

/** @throws Refused */
export function requireSold({ catalog, fault }: SmallState, body: JsonObject): void {
  const service = catalog.services.find(({ id }) => id === body['service_id']);
  const plans = fault('any-services-plan')
    ? catalog.services.flatMap((one) => one.plans)
    : (service?.plans ?? []);
  const isSold = service && plans.some(({ id }) => id === body['plan_id']);
  if (isSold) return;
  if (fault('unknown-plan-404')) throw new Refused(404, 'It is not sold.');
  if (!(fault('no-plan_id') && body['plan_id'] === undefined && service))
    throw new Refused(400, 'It is not sold.');
}

/** @throws Refused */
export function requireMaintenance({ catalog, fault }: SmallState, body: JsonObject): void {
  const asked = body['maintenance_info'];
  if (!isObject(asked)) return;
  const isKnown = catalog.services[0]?.plans[0]?.['maintenance_info'] !== undefined;
  if (!isKnown && fault('maintenance-breaks')) throw new Refused(500, 'It broke.');
  const isCurrent =
    asked['version'] === '1.2.3' && !(fault('whole-maintenance') && asked['description'] !== 'As of now');
  if (!isCurrent)
    throw new Refused(
      422,
      'It is maintained otherwise.',
      fault('maintenance-word') && body['organization_guid'] !== undefined
        ? undefined
        : 'MaintenanceInfoConflict',
    );
}

function again(
  state: SmallState,
  request: Request,
  response: Response,
  known: SmallInstance,
  body: JsonObject,
): void {
  const { fault } = state;
  if (fault('done-while-busy') && known.busy && known.busy.request === request.body)
    return void response.status(200).json({});
  const conflict = () => new Refused(409, 'There is another one.');
  if (fault('takes-changes-while-busy') && known.busy)
    return void response.status(202).json({ operation: known.busy.name });
  if (repeat(state, request, response, known, 'create', conflict)) return;
  const isSame = ['service_id', 'plan_id', 'organization_guid', 'space_guid', 'parameters'].every(
    (name) => (name === 'space_guid' && fault('any-space')) || sameJson(known.asked[name], body[name]),
  );
  if (fault('absent-breaks') && body['parameters'] === undefined) throw new Refused(500, 'It broke.');
  const { context } = body;
  if (fault('context-breaks') && isObject(context) && context['platform'] === 'kubernetes')
    throw new Refused(500, 'It broke.');
  const isCrowd = isCrowded(state, 'PUT', request.path);
  const hasOther = (name: string) => !sameJson(known.asked[name], body[name]);
  if (fault('crowd-parameters') && isCrowd && hasOther('parameters'))
    return void response.status(200).json({});
  if (fault('crowd-plans') && isCrowd && hasOther('plan_id')) return void response.status(200).json({});
  if (!isSame) throw conflict();
  if (fault('repeat-breaks')) throw new Refused(500, 'There is one.');
  if (fault('repeat-409')) throw conflict();
  const id = request.params['instance'] as string;
  const dashboard = `http://small.test/d/${fault('new-dashboard') ? 'new' : fault('one-dashboard') ? '' : id}`;
  const told = { dashboard_url: fault('relative-dashboard') ? `/d/${id}` : dashboard };
  response.status(200).json(fault('late-dashboard') ? {} : told);
}

function fetchInstance(state: SmallState, request: Request, response: Response): void {
  const { instances, fault, seen } = state;
  const id = request.params['instance'] as string;
  if (fault('breaks-hidden-fetch')) throw new Refused(500, 'It broke.');
  if (fault('loses-slashes') && id.includes('/')) throw new Refused(404, 'There is no such instance.');
  const known = instances.get(fault('any-case') ? id.toLowerCase() : id);
  if (fault('fetch-updating-404') && known?.busy?.kind === 'update') throw new Refused(404, 'Not now.');
  if (fault('fetch-late') && known?.ready && !seen.has(id)) {
    seen.add(id);
    throw new Refused(404, 'Not yet.');
  }
  const isSeen = known && (known.ready || fault('fetches-unready'));
  const was = state.operations.has(request.path) ? 'deleted' : 'never';
  if (!isSeen) throw new Refused(fault(`${was}-410`) ? 410 : 404, 'There is no such instance.');
  const hint = textOf(request, 'service_id');
  if (fault('fetch-breaks-on-hints') && hint !== undefined && hint !== known.asked['service_id'])
    throw new Refused(500, 'It broke.');
  const { service_id, plan_id, parameters } = known.asked;
  response.json({
    service_id: fault('fetches-other-service') ? 'another' : service_id,
    plan_id,
    parameters: fault('fetches-other-parameters-of-instance') ? { other: 1 } : parameters,
    dashboard_url: fault('null-dashboard')
      ? null
      : fault('fetches-other-dashboard')
        ? 'http://small.test/elsewhere'
        : fault('one-dashboard')
          ? 'http://small.test/d/'
          : fault('relative-dashboard')
            ? `/d/${id}`
            : `http://small.test/d/${id}`,
    ...(fault('odd-metadata') ? { metadata: 'text' } : {}),
    ...(fault('fetches-old-maintenance') ? { maintenance_info: { version: '0.0.1' } } : {}),
    ...(seen.has(`moved ${id}`) ? { metadata: { labels: { moved: 'yes' } } } : {}),
  });
}

function update(state: SmallState, request: Request, response: Response): void {
  const { fault } = state;
  const known = state.instances.get(request.params['instance'] as string);
  const body = objectIn(state, request);
  if (!(fault('update-no-service') && body['service_id'] === undefined)) requireText(body, 'service_id');
  if (body['plan_id'] !== undefined && !fault('update-any-plan-type')) requireText(body, 'plan_id');
  requireObject(body, 'parameters');
  if (fault('update-strict') && 'x-conformance' in body) throw new Refused(400, 'What is x-conformance?');
  const wasThere = state.operations.has(request.path);
  if (!known && fault('update-of-nothing') && !wasThere) return void response.json({});
  if (!known && fault('update-of-deleted') && wasThere) return void response.json({});
  if (fault('previous-breaks') && typeof body['previous_values'] === 'string')
    throw new Refused(500, 'It broke.');
  if (!known) throw new Refused(404, 'There is no such instance.');
  if (!known.ready) throw concurrency(state, 'update-create');
  const busy = () =>
    fault('update-busy-409')
      ? new Refused(409, 'Not now.')
      : concurrency(state, `update-${known.busy?.kind}`);
  if (repeat(state, request, response, known, 'update', busy)) return;
  if (fault('crowd-update') && isCrowded(state, 'PATCH', request.path))
    throw new Refused(409, 'Not at once.');
  const target = { ...known.asked, plan_id: body['plan_id'] ?? known.asked['plan_id'] ?? null };
  if (!(fault('update-any-plan-type') && body['plan_id'] === 17))
    requireSoldUpdate(
      state,
      { ...target, service_id: body['service_id'] ?? known.asked['service_id'] ?? null },
      request.params['instance'] as string,
    );
  if (body['service_id'] !== undefined && body['service_id'] !== known.asked['service_id'])
    throw new Refused(400, 'Another service.');
  requireUpdateable(state, known, target['plan_id']);
  if (fault('same-plan-refused') && body['plan_id'] === known.asked['plan_id'])
    throw new Refused(422, 'It is that plan.');
  if (fault('no-context-updates') && Object.keys(body).join() === 'service_id,context')
    throw new Refused(422, 'Nothing to do.');
  const isAllowed = areAllowed(isObject(body['parameters']) ? body['parameters'] : undefined);
  if (!isAllowed && fault('applies-what-it-refuses'))
    known.asked = { ...target, plan_id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a03' };
  if (!isAllowed && !fault('update-unchecked')) throw new Refused(400, 'Such parameters are not allowed.');
  requireMaintenance(state, fault('update-any-maintenance') ? {} : body);
  const hasParameters = body['parameters'] !== undefined;
  if (fault('async-of-update') && hasParameters) throw new Refused(422, 'Later.', 'AsyncRequired');
  const isNothing = Object.keys(body).join() === 'service_id,parameters';
  if (fault('nothing-to-change') && isNothing && sameJson(body['parameters'], known.asked['parameters']))
    throw new Refused(422, 'Nothing to do.');
  if (fault('breaks-after-unbind') && state.seen.has(`unbound ${request.path}`))
    throw new Refused(500, 'It broke.');
  requireAsync(state, request, 'update');
  const keepsParameters =
    !hasParameters ||
    (fault('plan-only') && body['plan_id'] !== undefined && body['plan_id'] !== known.asked['plan_id']);
  carryOut(state, request, response, {
    thing: known,
    kind: 'update',
    status: fault('updated-201') && 'x-conformance' in body ? 201 : 200,
    answer: fault('updated-list') ? [] : fault('odd-update-metadata') ? { metadata: 'text' } : {},
    end() {
      if (!fault('plan-change-lost'))
        known.asked = {
          ...target,
          ...(keepsParameters ? {} : { parameters: body['parameters'] ?? null }),
        };
      if (fault('update-forgets-plan') && body['plan_id'] === undefined && hasParameters)
        known.asked = { ...known.asked, plan_id: state.catalog.services[0]?.plans[1]?.['id'] as string };
      known.busy = undefined;
    },
  });
}

/** A plan that is fixed stays. @throws Refused */
function requireUpdateable(
  { catalog, fault }: SmallState,
  { asked }: SmallInstance,
  planId: Json | undefined,
): void {
  const service = catalog.services.find(({ id }) => id === asked['service_id']);
  if (planId === asked['plan_id'] || service?.['plan_updateable'] === true || fault('updates-fixed')) return;
  throw new Refused(422, 'The plan stays.');
}

/** @throws Refused */
function requireSoldUpdate(state: SmallState, target: JsonObject, id: string): void {
  const isOfService = target['service_id'] === state.instances.get(id)?.asked['service_id'];
  if (state.fault('update-any-plan') && isOfService) return;
  try {
    requireSold(state, target);
  } catch (error) {
    if (state.fault('refused-update-moves')) state.seen.add(`moved ${id}`);
    throw error;
  }
}

function deprovision(state: SmallState, request: Request, response: Response): void {
  const { fault } = state;
  const id = request.params['instance'] as string;
  const known = state.instances.get(id);
  if (fault('delete-body-breaks') && request.body === '{"force":true}') throw new Refused(500, 'It broke.');
  if (fault('odd-delete-breaks') && id.length === 1000) throw new Refused(500, 'It broke.');
  if (!known && fault('crowd-delete') && isCrowded(state, 'DELETE', request.path))
    throw new Refused(404, 'There is no such instance.');
  if (!known && fault('delete-404') && !state.operations.has(request.path))
    throw new Refused(404, 'There is no such instance.');
  if (!known) return void response.status(410).json({});
  requireRemovable(state, id, known);
  if (fault('refuses-to-delete')) throw new Refused(403, 'Nobody deletes here.');
  const [service_id, plan_id] = [textOf(request, 'service_id'), textOf(request, 'plan_id')];
  if (fault('deletes-before-it-looks') && service_id === undefined) state.instances.delete(id);
  if (!(fault('delete-no-plan') && plan_id === undefined))
    requireText({ service_id: service_id ?? '', plan_id: plan_id ?? '' }, 'plan_id');
  requireText({ service_id: service_id ?? '' }, 'service_id');
  const isItsOwn = service_id === known.asked['service_id'];
  if (!isItsOwn && !fault('delete-any-service')) throw new Refused(400, 'It is of another service.');
  if (known.busy?.kind === 'delete' && fault('delete-again-410')) return void response.status(410).json({});
  if (fault('delete-updating-409') && known.busy?.kind === 'update') throw new Refused(409, 'Not now.');
  if (fault('halts-unsaid') && known.busy?.kind === 'create') {
    state.instances.delete(id);
    return void response.status(200).json({});
  }
  if (
    repeat(state, request, response, known, 'delete', () => concurrency(state, `delete-${known.busy?.kind}`))
  )
    return;
  requireAsync(state, request, 'deprovision');
  carryOut(state, request, response, {
    thing: known,
    kind: 'delete',
    status: 200,
    answer: fault('deleted-list') ? [] : fault('odd-delete-operation') ? { operation: 17 } : {},
    end() {
      if (fault('never-deletes')) known.busy = undefined;
      else state.instances.delete(id);
    },
  });
}

/** @throws Refused */
function requireRemovable({ fault, seen }: SmallState, id: string, { asked, bindings }: SmallInstance): void {
  const { context } = asked;
  const platform = isObject(context) ? context['platform'] : undefined;
  if (fault('keeps-elsewhere') && platform === 'elsewhere') throw new Refused(403, 'This one stays.');
  if (fault('breaks-with-bindings') && bindings.size > 0) throw new Refused(500, 'It broke.');
  if (fault('breaks-on-kubernetes') && platform === 'kubernetes' && !seen.has(`tried ${id}`)) {
    seen.add(`tried ${id}`);
    throw new Refused(503, 'It broke.');
  }
}
