import { randomUUID } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { isObject, sameJson, type JsonObject } from '../../../src/broker/json.ts';
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
  type SmallBinding,
  type SmallInstance,
  type SmallState,
} from './small-state.ts';

/** Bind, fetch and unbind of the small broker. */
export function bindingRoutes(app: Express, state: SmallState): void {
  const path = '/v2/service_instances/:instance/service_bindings/:binding';
  app.put(path, (request, response) => bind(state, request, response));
  app.get(path, (request, response) => fetchBinding(state, request, response));
  app.delete(path, (request, response) => unbind(state, request, response));
  app.get(`${path}/last_operation`, (request, response) => {
    tellOperation(state, request.path.replace(/\/last_operation$/, ''), request, response);
  });
}

function bind(state: SmallState, request: Request, response: Response): void {
  const { fault } = state;
  const body = objectIn(state, request);
  const predecessorId = body['predecessor_binding_id'];
  for (const name of ['service_id', 'plan_id']) {
    const mayLack = predecessorId !== undefined && !fault('rotation-needs-plan');
    const isLacking = body[name] === undefined && (mayLack || fault('bind-no-plan'));
    if (!isLacking) requireText(body, name);
  }
  for (const name of ['parameters', 'context', 'bind_resource'])
    if (!(fault('bind-any-parameters') && name === 'parameters')) requireObject(body, name);
  if (fault('bind-empty-app-breaks') && body['app_guid'] === '') throw new Refused(500, 'It broke.');
  if (body['app_guid'] !== undefined && !fault('bind-number-app')) requireText(body, 'app_guid');
  if (fault('app-at-the-top') && body['app_guid'] === undefined && body['bind_resource'] !== undefined)
    throw new Refused(422, 'For an app only.', 'RequiresApp');
  if (fault('words-refused') && request.params['binding'] === 'last_operation')
    throw new Refused(400, 'What an id.');
  requireNoCrowd(state, request, predecessorId !== undefined);
  if (fault('bind-strict') && 'x-conformance' in body) throw new Refused(400, 'What is x-conformance?');
  const hasApp = body['app_guid'] !== undefined || body['bind_resource'] !== undefined;
  if (fault('bind-needs-app') && !hasApp && predecessorId === undefined)
    throw new Refused(422, 'For an app only.');
  const instance = state.instances.get(request.params['instance'] as string);
  if (!instance && fault('bind-of-nothing'))
    return void response.status(201).json({ credentials: { password: 'x' } });
  if (!instance) throw new Refused(fault('bind-of-nothing-422') ? 422 : 404, 'There is no such instance.');
  const isBusy = instance.ready ? instance.busy !== undefined : !fault('binds-unready');
  if (isBusy) throw concurrency(state, `bind-${instance.busy?.kind}`);
  requireBindable(state, instance);
  const isAgain = instance.bindings.has(request.params['binding'] as string);
  if (!fault('bind-any-plan') && !(isAgain && fault('bind-again-any-plan')))
    requireOwn(state, request, instance, body);
  if (!areAllowed(isObject(body['parameters']) ? body['parameters'] : undefined) && !fault('bind-unchecked'))
    throw new Refused(400, 'Such parameters are not allowed.');
  const id = request.params['binding'] as string;
  const known = instance.bindings.get(id);
  if (known) return again(state, request, response, known, body);
  const stranger = fault('id-tells-secrets') ? anywhere(state, id) : undefined;
  if (stranger) return void response.status(201).json(bindingBody(state, stranger));
  const predecessor = predecessorOf(state, request, instance, body);
  requireAsync(state, request, predecessorId === undefined ? 'bind' : 'rotation');
  if (predecessor && fault('rotation-removes-old')) instance.bindings.delete(predecessorId as string);
  const old = predecessor && !fault('rotation-forgets') ? predecessor.asked['parameters'] : undefined;
  const made: SmallBinding = {
    asked: old === undefined ? body : { parameters: old, ...body },
    ready: false,
    busy: undefined,
    credentials: credentialsFor(state, predecessor),
  };
  instance.bindings.set(id, made);
  if (fault('empty-bind') && 'x-conformance' in body) {
    made.ready = true;
    return void response.status(201).type('json').end();
  }
  carryOut(state, request, response, {
    thing: made,
    kind: 'create',
    status: fault(predecessor ? 'rotated-200' : 'bound-200') ? 200 : 201,
    answer: bindingBody(state, made),
    accepted: fault('credentials-in-202') ? { credentials: made.credentials } : {},
    end() {
      made.ready = true;
      made.busy = undefined;
    },
  });
}

/** @throws Refused */
function requireBindable({ catalog, fault }: SmallState, { asked }: SmallInstance): void {
  const service = catalog.services.find(({ id }) => id === asked['service_id']);
  if (service?.['bindable'] !== true && !fault('binds-anything'))
    throw new Refused(400, 'It cannot be bound.');
}

/** @throws Refused */
function requireNoCrowd(state: SmallState, { path }: Request, isRotation: boolean): void {
  const { fault } = state;
  const [instance = '', ids = ''] = path.split('/service_bindings/');
  if (fault('crowd-bind-and-delete') && state.crowd.get(`DELETE ${instance}`))
    throw new Refused(500, 'Both at once.');
  const isAlone = !isCrowded(state, 'PUT', `${instance}/service_bindings`) || ids === '';
  if (fault('crowd-rotation') && isRotation && !isAlone) throw new Refused(500, 'Too many.');
}

/** @throws Refused */
function requireOwn(
  { fault }: SmallState,
  { params }: Request,
  { asked, bindings }: SmallInstance,
  body: JsonObject,
): void {
  const other = ['service_id', 'plan_id'].filter(
    (name) => body[name] !== undefined && body[name] !== asked[name],
  );
  if (other.length === 0) return;
  const id = params['binding'] as string;
  // Refused, and made all the same.
  if (fault('binds-what-it-refuses') && !bindings.has(id))
    bindings.set(id, { asked: body, ready: true, busy: undefined, credentials: {} });
  throw new Refused(400, `The instance has another ${other.join(' and ')}.`);
}

/** @throws Refused */
function predecessorOf(
  state: SmallState,
  { path, params }: Request,
  { bindings }: SmallInstance,
  body: JsonObject,
): SmallBinding | undefined {
  const { fault } = state;
  const id = body['predecessor_binding_id'];
  if (id === undefined) return undefined;
  requireText(body, 'predecessor_binding_id');
  if (fault('breaks-on-rotation')) throw new Refused(500, 'It broke.');
  const found = bindings.get(id as string);
  const isForeign = anywhere(state, id as string) !== undefined;
  const wasRemoved = state.operations.has(path.replace(/[^/]+$/, id as string));
  const isOwn = id === params['binding'];
  const isUnknown = !isForeign && !wasRemoved && !isOwn;
  if (found && fault('one-rotation') && found.asked['predecessor_binding_id'] !== undefined)
    throw new Refused(400, 'Once only.');
  const isTaken =
    (isForeign && fault('foreign-predecessor')) ||
    (wasRemoved && !isForeign && fault('removed-predecessor')) ||
    (isOwn && fault('own-predecessor')) ||
    (isUnknown && fault('unknown-predecessor'));
  if (!found && isTaken) return undefined;
  if (!found?.ready) throw new Refused(400, 'There is no such predecessor.');
  return found;
}

function credentialsFor({ fault }: SmallState, predecessor: SmallBinding | undefined): JsonObject {
  if (fault('one-password')) return { user: 'all', password: 'the-same-for-everybody' };
  if (predecessor && fault('rotation-keeps-password')) return predecessor.credentials;
  return { user: randomUUID(), password: randomUUID() };
}

function bindingBody({ fault }: SmallState, { credentials }: SmallBinding): object {
  if (fault('no-credentials')) return {};
  if (fault('odd-credentials')) return { credentials: 'text' };
  return {
    credentials,
    ...(fault('odd-endpoints') ? { endpoints: [{ host: 'h' }] } : {}),
    ...(fault('odd-times') ? { metadata: { expires_at: 'tomorrow' } } : {}),
    ...(fault('unasked-drain') ? { syslog_drain_url: 'syslog://drain.test' } : {}),
    ...(fault('http-route') ? { route_service_url: 'http://route.test' } : {}),
  };
}

function again(
  state: SmallState,
  request: Request,
  response: Response,
  known: SmallBinding,
  body: JsonObject,
): void {
  const { fault } = state;
  const conflict = () => new Refused(409, 'There is another one.');
  if (fault('bind-takes-changes') && known.busy?.kind === 'create')
    return void response.status(202).json({ operation: known.busy.name });
  if (fault('bind-done-while-busy') && known.busy?.request === request.body)
    return void response.status(200).json({});
  if (repeat(state, request, response, known, 'create', conflict)) return;
  const ignored = {
    parameters: fault('bind-any-change'),
    app_guid: fault('bind-any-app'),
    predecessor_binding_id: fault('rotate-any-again'),
  };
  const names = Object.entries(ignored).flatMap(([name, is]) => (is ? [] : [name]));
  // What a successor has taken over is not asked for again.
  const asked =
    body['predecessor_binding_id'] === undefined
      ? known.asked
      : { ...known.asked, parameters: body['parameters'] ?? null };
  const told =
    body['predecessor_binding_id'] === undefined ? body : { ...body, parameters: body['parameters'] ?? null };
  if (names.some((name) => !sameJson(asked[name], told[name]))) throw conflict();
  if (fault('bind-repeat-409')) throw conflict();
  if (fault('bind-repeat-breaks')) throw new Refused(500, 'There is one.');
  const isSuccessor = body['predecessor_binding_id'] !== undefined;
  const isSameRotation = body['predecessor_binding_id'] === known.asked['predecessor_binding_id'];
  if (fault('rotate-repeat-409') && isSuccessor && isSameRotation) throw conflict();
  const isNew =
    fault('repeat-new-password') || (fault('crowd-bind') && isCrowded(state, 'PUT', request.path));
  const body200 = bindingBody(state, known);
  response.status(200).json(isNew ? { credentials: { password: randomUUID() } } : body200);
}

function fetchBinding(state: SmallState, request: Request, response: Response): void {
  const { fault, instances } = state;
  const instance = instances.get(request.params['instance'] as string);
  const id = request.params['binding'] as string;
  const [owner = ''] = request.path.split('/service_bindings/');
  if (!instance && fault('gone-instance-410') && state.operations.has(owner))
    throw new Refused(410, 'There is no such instance.');
  const hint = textOf(request, 'service_id');
  if (fault('breaks-on-hints') && hint !== undefined && hint !== instance?.asked['service_id'])
    throw new Refused(500, 'It broke.');
  const found = instance?.bindings.get(id) ?? (fault('any-instance') ? anywhere(state, id) : undefined);
  const wasThere = state.operations.has(request.path);
  if (!instance && fault('binding-of-nothing-410') && !state.operations.has(owner))
    throw new Refused(410, 'There is no such instance.');
  if (!found && wasThere && instance && fault('removed-binding-410')) throw new Refused(410, 'It is gone.');
  if (fault('hides-every-binding')) throw new Refused(404, 'There is no such binding.');
  if (!found || (!found.ready && !fault('fetches-unready-binding')))
    throw new Refused(404, 'There is no such binding.');
  const { parameters } = found.asked;
  response.json({
    ...(fault('fetches-no-credentials') ? {} : bindingBody(state, found)),
    parameters: fault('fetches-other-parameters') ? { size: 99 } : parameters,
  });
}

/** And all that were made after it. */
function removeFrom({ bindings }: SmallInstance, id: string): void {
  const ids = [...bindings.keys()];
  bindings.delete(id);
  for (const one of ids.slice(ids.indexOf(id)))
    if (bindings.get(one)?.asked['predecessor_binding_id'] === undefined) bindings.delete(one);
}

function anywhere({ instances }: SmallState, id: string): SmallBinding | undefined {
  return [...instances.values()].flatMap((one) => one.bindings.get(id) ?? [])[0];
}

function unbind(state: SmallState, request: Request, response: Response): void {
  const { fault, instances } = state;
  const instance = instances.get(request.params['instance'] as string);
  const id = request.params['binding'] as string;
  const known = instance?.bindings.get(id);
  if (!known && fault('crowd-unbind') && isCrowded(state, 'DELETE', request.path))
    throw new Refused(404, 'There is no such binding.');
  if (
    fault('unbind-body-400') &&
    request.body !== undefined &&
    Object.keys(request.body as object).length > 0
  )
    throw new Refused(400, 'No body.');
  if (fault('odd-unbind-breaks') && id.length === 1000) throw new Refused(500, 'It broke.');
  const [owner = ''] = request.path.split('/service_bindings/');
  if (!instance && fault('unbind-404') && !state.operations.has(owner))
    throw new Refused(404, 'There is no such binding.');
  if (!instance || !known) return void response.status(410).json({});
  const [service_id, plan_id] = [textOf(request, 'service_id'), textOf(request, 'plan_id')];
  if (!(fault('unbind-no-plan') && plan_id === undefined)) requireText({ plan_id: plan_id ?? '' }, 'plan_id');
  requireText({ service_id: service_id ?? '' }, 'service_id');
  if (service_id !== instance.asked['service_id'] && !fault('unbind-any-service'))
    throw new Refused(400, 'Of another service.');
  if (known.busy?.kind === 'delete' && fault('unbind-again-410')) return void response.status(410).json({});
  if (
    repeat(state, request, response, known, 'delete', () => concurrency(state, `unbind-${known.busy?.kind}`))
  )
    return;
  requireAsync(state, request, 'unbind');
  carryOut(state, request, response, {
    thing: known,
    kind: 'delete',
    status: 200,
    answer: fault('unbound-list') ? [] : {},
    end() {
      if (fault('unbinds-later')) removeFrom(instance, id);
      else instance.bindings.delete(id);
      state.seen.add(`unbound ${owner}`);
    },
  });
}
