import type { StartStop, Recreate, RemoveBinding } from '../../broker/broker.ts';
import { Refusal } from '../../broker/errors.ts';
import type { InstancesQuery, OfferingEntry } from '../../broker/operator-view.ts';
import type { Execution, LogQuery } from '../../broker/units.ts';
import type { Call } from '../protocol.ts';
import { requireActionBody, requireExecBody, requireNoBody } from './shapes.ts';

/** An id that cannot be kept is of nothing. */
export function requireInstanceId({ params: { instanceId = '' } }: Pick<Call, 'params'>): string {
  if (isStorable(instanceId)) return instanceId;
  throw new Refusal('not-found', 'There is no service instance with this id.');
}

export function readNode({ params: { node = '' } }: Call): string {
  if (isStorable(node)) return node;
  throw new Refusal('not-found', 'There is no such node.');
}

export function readAction(call: Call): StartStop {
  const { units } = requireActionBody(call.body ?? {});
  return { ...commandOf(call), units };
}

/** Of what is done with an instance as a whole. */
export function readWhole(call: Call): Recreate {
  requireNoBody(call.body ?? {});
  return commandOf(call);
}

export function readBindingRemoval(call: Call): RemoveBinding {
  const { bindingId = '' } = call.params;
  if (!isStorable(bindingId))
    throw new Refusal('not-found', 'The service instance has no binding with this id.');
  return { ...commandOf(call), bindingId };
}

function commandOf(call: Call): Recreate {
  return {
    instanceId: requireInstanceId(call),
    // Nobody is to wait for a program that takes its time.
    acceptsIncomplete: true,
    origin: { protocol: 'operator', principal: call.principal, requestId: call.requestId },
  };
}

/** Milliseconds that a command may take when nothing is said. */
const usualTimeout = 30_000;

export function readExecution({ body }: Call): Execution {
  const { command, unit, timeout = usualTimeout } = requireExecBody(body);
  return { command, unit, timeout };
}

export function readLogQuery({ query }: Call): LogQuery {
  return { unit: readText(query, 'unit'), lines: readNumber(query, 'lines', 100, 10_000) };
}

/** @param offerings by name or by id one may be asked for */
export function readListQuery({ query }: Call, offerings: readonly OfferingEntry[]): InstancesQuery {
  const asked = readText(query, 'offering');
  const named = offerings.find(({ offering }) => offering.name === asked)?.offering.id;
  return {
    after: readText(query, 'after'),
    limit: readNumber(query, 'limit', 100, 1000),
    node: readText(query, 'node'),
    offeringId: named ?? asked,
    drifted: readFlag(query, 'drifted'),
  };
}

function readText(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name) || undefined;
  if (value === undefined || isStorable(value)) return value;
  throw new Refusal('invalid', `${name} holds a character that cannot be kept, or too many.`, name);
}

function readFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name) || 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Refusal('invalid', `${name} must be true or false.`, name);
}

function readNumber(query: URLSearchParams, name: string, usual: number, most: number): number {
  const value = query.get(name);
  if (value === null || value === '') return usual;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw new Refusal('invalid', `${name} must be a whole number from 1 to ${most}.`, name);
}

function isStorable(text: string): boolean {
  return text !== '' && text.length <= 1000 && text.isWellFormed() && !text.includes('\0');
}
