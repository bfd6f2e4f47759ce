import type { Request, Response } from 'express';
import type { Json, JsonObject } from '../../../src/broker/json.ts';
import { isObject } from '../../../src/broker/json.ts';
import type { SmallCatalog } from './small-catalog.ts';

/** What the small broker knows. */
export interface SmallState {
  readonly catalog: SmallCatalog;
  readonly slow: boolean;
  readonly fault: (name: string) => boolean;
  readonly instances: Map<string, SmallInstance>;
  /** The last one of each path, also of what is gone. */
  readonly operations: Map<string, SmallOperation>;
  /** How many requests of this method and path are held, by `PUT /v2/...`. */
  readonly crowd: Map<string, number>;
  /** How often something was seen by a fault. */
  readonly counts: Map<string, number>;
  /** What a fault has to remember, in its own words. */
  readonly seen: Set<string>;
}

export interface SmallThing {
  readonly asked: JsonObject;
  ready: boolean;
  /** What it is in the middle of. */
  busy: SmallOperation | undefined;
}

export interface SmallInstance extends SmallThing {
  asked: JsonObject;
  readonly bindings: Map<string, SmallBinding>;
}

export interface SmallBinding extends SmallThing {
  readonly credentials: JsonObject;
}

export interface SmallOperation {
  readonly name: string;
  readonly kind: 'create' | 'update' | 'delete';
  /** What began it. */
  readonly request: string;
  readonly end: () => void;
  state: 'in progress' | 'succeeded';
  polls: number;
}

/** An answer that says no. */
export class Refused extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, description: string, error?: string) {
    super(description);
    this.status = status;
    this.body = error === undefined ? { description } : { error, description };
  }
}

/** The body as an object. @throws Refused */
export function objectIn({ fault }: SmallState, { body }: Request): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(body as string) as Json;
  } catch {
    const isEmpty = typeof body !== 'string' || body === '';
    const isOdd = fault(isEmpty ? 'empty-422' : 'malformed-422');
    throw new Refused(isOdd ? 422 : 400, 'The body is no JSON.');
  }
  if (!isObject(value)) throw new Refused(fault('list-422') ? 422 : 400, 'The body is no object.');
  return value;
}

/** A parameter of the query. */
export function textOf({ query }: Request, name: string): string | undefined {
  const value = query[name];
  return typeof value === 'string' ? value : undefined;
}

export function requireText(body: JsonObject, name: string): void {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (typeof value !== 'string' || value === '') throw new Refused(400, `${name} must be a text.`);
}

export function requireObject(body: JsonObject, name: string): void {
  const value = body[name];
  if (value !== undefined && value !== null && !isObject(value))
    throw new Refused(400, `${name} must be an object.`);
}

/** @throws Refused */
export function requireAsync({ slow, fault }: SmallState, request: Request, what: string): void {
  const accepts = request.query['accepts_incomplete'];
  const isAccepted =
    accepts === 'true' ||
    (fault('any-accepts') && accepts === '1') ||
    (fault('structured-accepts') && 'accepts_incomplete[]' in request.query);
  if (!slow || isAccepted || fault(`202-${what}`)) return;
  throw new Refused(422, 'This takes its time.', fault(`word-${what}`) ? 'Asynchronous' : 'AsyncRequired');
}

/** Begins what takes its time, or does it, and answers. */
export function carryOut(
  state: SmallState,
  request: Request,
  response: Response,
  {
    thing,
    kind,
    status,
    answer,
    accepted = {},
    end,
  }: {
    readonly thing: SmallThing;
    readonly kind: SmallOperation['kind'];
    readonly status: number;
    readonly answer: object;
    readonly accepted?: object;
    readonly end: () => void;
  },
): void {
  if (!state.slow) {
    end();
    state.operations.set(request.path, {
      name: 'done',
      kind,
      request: '',
      end,
      state: 'succeeded',
      polls: 0,
    });
    response.status(status).json(answer);
    return;
  }
  const operation: SmallOperation = {
    name: `${kind} & ${state.operations.size}`,
    kind,
    request: request.body as string,
    end,
    state: 'in progress',
    polls: 0,
  };
  thing.busy = operation;
  state.operations.set(request.path, operation);
  response.status(202).json({ operation: operation.name, ...accepted });
}

/** Polls until it ends. */
const pollsOfOperation = 4;

export function tellOperation(state: SmallState, path: string, request: Request, response: Response): void {
  const { fault } = state;
  const kind = path.includes('/service_bindings/') ? 'binding' : 'instance';
  const operation = state.operations.get(path);
  const asked = request.query['operation'];
  const service = request.query['service_id'];
  if (fault(`hints-break-${kind}`) && service !== undefined && !isSoldService(state, service))
    throw new Refused(500, 'It broke.');
  if (fault(`hints-needed-${kind}`) && request.query['service_id'] === undefined)
    throw new Refused(400, 'Which service?');
  if (!operation) throw new Refused(fault(`lost-${kind}-410`) ? 410 : 404, 'There is no such thing.');
  if (asked !== undefined && (fault(`odd-operation-${kind}`) || asked !== operation.name))
    throw new Refused(
      fault(`breaks-on-operation-${kind}`) && asked === 'unknown' ? 500 : 400,
      'This is another operation.',
    );
  if (fault('poll-new-plan') && operation.state === 'in progress' && operation.kind === 'update')
    requirePlanOf(operation, request);
  if (operation.state === 'succeeded' && fault(`forgets-${kind}`) && operation.kind === 'create')
    throw new Refused(404, 'It is over.');
  operation.polls += 1;
  const isEndless = fault('endless-delete') && operation.kind === 'delete';
  if (operation.state === 'in progress' && !isEndless && operation.polls >= pollsOfOperation) {
    operation.state = 'succeeded';
    operation.end();
  }
  if (operation.kind === 'create' && operation.state === 'in progress' && fault(`early-404-${kind}`))
    throw new Refused(404, 'Not yet.');
  response.setHeader(
    'retry-after',
    fault('odd-retry-after') ? 'soon' : fault('date-retry-after') ? new Date().toUTCString() : '0',
  );
  if (operation.state === 'succeeded' && operation.kind === 'delete')
    throw new Refused(fault(`gone-${kind}-404`) ? 404 : 410, 'It is gone.');
  const isUnsure = fault(`unsure-${kind}`) && operation.name === 'done';
  response.json({
    state: isUnsure ? 'in progress' : operation.state,
    ...(fault(`odd-description-${kind}`) ? { description: 17 } : {}),
    ...(fault(`usable-in-binding`) && kind === 'binding' ? { instance_usable: true } : {}),
  });
}

function isSoldService({ catalog }: SmallState, id: unknown): boolean {
  return catalog.services.some((one) => one['id'] === id);
}

/** @throws Refused */
function requirePlanOf({ request }: SmallOperation, { query }: Request): void {
  const { plan_id: plan } = JSON.parse(request) as JsonObject;
  if (plan !== undefined && plan !== query['plan_id']) throw new Refused(400, 'It has another plan.');
}

/** Are there more requests of this method for this path, or for what is under it? */
export function isCrowded({ crowd }: SmallState, method: string, path: string, most = 1): boolean {
  const under = [...crowd].filter(
    ([key]) => key === `${method} ${path}` || key.startsWith(`${method} ${path}/`),
  );
  return under.reduce((sum, [, held]) => sum + held, 0) > most;
}

/** The same request again while it is carried out, or another one. @throws Refused */
export function repeat(
  state: SmallState,
  request: Request,
  response: Response,
  { busy }: SmallThing,
  kind: SmallOperation['kind'],
  otherwise: () => Refused,
): boolean {
  const { fault } = state;
  if (!busy) return false;
  if (busy.kind !== kind || busy.request !== request.body) throw otherwise();
  const isCrowd = !request.path.includes('/service_bindings/') && isCrowded(state, 'PUT', request.path);
  const isAnother = fault(`new-name-${kind}`) || (fault('crowd-provision') && isCrowd);
  response.status(202).json({ operation: isAnother ? 'another' : busy.name });
  return true;
}

/** @param what is asked for, and meanwhile what is done, e.g. `bind-update` */
export function concurrency({ fault }: SmallState, what: string): Refused {
  return new Refused(
    422,
    'Something is in progress.',
    fault(`no-word-${what}`) ? undefined : 'ConcurrencyError',
  );
}
