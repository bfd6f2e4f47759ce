import { randomUUID } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { isObject, sameJson, type JsonObject } from '../../../src/broker/json.ts';
import { areAllowed } from './small-catalog.ts';
import {
  carryOut,
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
  const body = objectIn(request);
  const predecessorId = body['predecessor_binding_id'];
  for (const name of ['service_id', 'plan_id']) {
    const mayLack = predecessorId !== undefined && !fault('rotation-needs-plan');
    const isLacking = body[name] === undefined && (mayLack || fault('bind-no-plan'));
    if (!isLacking) requireText(body, name);
  }
  for (const name of ['parameters', 'context', 'bind_resource'])
    if (!(fault('bind-any-parameters') && name === 'parameters')) requireObject(body, name);
  if (body['app_guid'] !== undefined && !fault('bind-empty-app')) requireText(body, 'app_guid');
  if (fault('bind-strict') && 'x-conformance' in body) throw new Refused(400, 'What is x-conformance?');
  const hasApp = body['app_guid'] !== undefined || body['bind_resource'] !== undefined;
  if (fault('bind-needs-app') && !hasApp && predecessorId === undefined)
    throw new Refused(422, 'For an app only.');
  const instance = state.instances.get(request.params['instance'] as string);
  if (!instance && fault('bind-of-nothing'))
    return void response.status(201).json({ credentials: { password: 'x' } });
  if (!instance) throw new Refused(404, 'There is no such instance.');
  if (!instance.ready || instance.busy) throw concurrency(state);
  if (!fault('bind-any-plan')) requireOwn(instance, body);
  if (!areAllowed(isObject(body['parameters']) ? body['parameters'] : undefined) && !fault('bind-unchecked'))
    throw new Refused(400, 'Such parameters are not allowed.');
  const id = request.params['binding'] as string;
  const known = instance.bindings.get(id);
  if (known) return again(state, request, response, known, body);
  const predecessor = predecessorOf(state, instance, body);
  requireAsync(state, request, 'bind');
  const old = predecessor && !fault('rotation-forgets') ? predecessor.asked['parameters'] : undefined;
  const made: SmallBinding = {
    asked: old === undefined ? body : { parameters: old, ...body },
    ready: false,
    busy: undefined,
    credentials: credentialsFor(state, predecessor),
  };
  instance.bindings.set(id, made);
  carryOut(state, request, response, {
    thing: made,
    kind: 'create',
    status: fault('bound-200') ? 200 : 201,
    answer: bindingBody(state, made),
    accepted: fault('credentials-in-202') ? { credentials: made.credentials } : {},
    end() {
      made.ready = true;
      made.busy = undefined;
    },
  });
}

/** @throws Refused */
function requireOwn(instance: SmallInstance, body: JsonObject): void {
  for (const name of ['service_id', 'plan_id'])
    if (body[name] !== undefined && body[name] !== instance.asked[name])
      throw new Refused(400, `The instance has another ${name}.`);
}

/** @throws Refused */
function predecessorOf(
  { fault }: SmallState,
  { bindings }: SmallInstance,
  body: JsonObject,
): SmallBinding | undefined {
  const id = body['predecessor_binding_id'];
  if (id === undefined || fault('any-predecessor')) return undefined;
  requireText(body, 'predecessor_binding_id');
  const found = bindings.get(id as string);
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
  return { credentials, ...(fault('odd-endpoints') ? { endpoints: [{ host: 'h' }] } : {}) };
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
  if (fault('bind-repeat-breaks')) throw new Refused(500, 'There is one.');
  if (repeat(state, request, response, known, 'create', conflict)) return;
  const names = ['parameters', 'app_guid', 'predecessor_binding_id'].filter(
    (name) => !(fault('bind-any-change') && name === 'parameters'),
  );
  // What a successor has taken over is not asked for again.
  const asked =
    body['predecessor_binding_id'] === undefined
      ? known.asked
      : { ...known.asked, parameters: body['parameters'] ?? null };
  const told =
    body['predecessor_binding_id'] === undefined ? body : { ...body, parameters: body['parameters'] ?? null };
  if (names.some((name) => !sameJson(asked[name], told[name]))) throw conflict();
  if (fault('bind-repeat-409')) throw conflict();
  const body200 = bindingBody(state, known);
  response
    .status(200)
    .json(fault('repeat-new-password') ? { credentials: { password: randomUUID() } } : body200);
}

function fetchBinding(state: SmallState, request: Request, response: Response): void {
  const { fault, instances } = state;
  const instance = instances.get(request.params['instance'] as string);
  const id = request.params['binding'] as string;
  const found = instance?.bindings.get(id) ?? (fault('any-instance') ? anywhere(state, id) : undefined);
  if (!found && fault('fetch-binding-410')) throw new Refused(410, 'There is no such binding.');
  if (!found || (!found.ready && !fault('fetches-unready-binding')))
    throw new Refused(404, 'There is no such binding.');
  const { parameters } = found.asked;
  response.json({
    ...(fault('fetches-no-credentials') ? {} : bindingBody(state, found)),
    parameters: fault('fetches-other-parameters') ? { size: 99 } : parameters,
  });
}

function anywhere({ instances }: SmallState, id: string): SmallBinding | undefined {
  return [...instances.values()].flatMap((one) => one.bindings.get(id) ?? [])[0];
}

function unbind(state: SmallState, request: Request, response: Response): void {
  const { fault, instances } = state;
  const instance = instances.get(request.params['instance'] as string);
  const id = request.params['binding'] as string;
  const known = instance?.bindings.get(id);
  if (!known && fault('unbind-404')) throw new Refused(404, 'There is no such binding.');
  if (!instance || !known) return void response.status(410).json({});
  const [service_id, plan_id] = [textOf(request, 'service_id'), textOf(request, 'plan_id')];
  if (!(fault('unbind-no-plan') && plan_id === undefined)) requireText({ plan_id: plan_id ?? '' }, 'plan_id');
  requireText({ service_id: service_id ?? '' }, 'service_id');
  if (service_id !== instance.asked['service_id'] && !fault('unbind-any-service'))
    throw new Refused(400, 'Of another service.');
  if (repeat(state, request, response, known, 'delete', () => concurrency(state))) return;
  requireAsync(state, request, 'unbind');
  carryOut(state, request, response, {
    thing: known,
    kind: 'delete',
    status: 200,
    answer: fault('unbound-list') ? [] : {},
    end() {
      if (fault('never-unbinds')) known.busy = undefined;
      else instance.bindings.delete(id);
      if (fault('unbinds-all')) instance.bindings.clear();
    },
  });
}
