import type { Exec, StartStop, ReadLog, Recreate, RemoveBinding } from '../../broker/broker.ts';
import type {
  DrainNode,
  ForgetNode,
  PurgeBinding,
  PurgeInstance,
  RemoveInstance,
  RemoveOrphan,
  RepairOperation,
} from '../../broker/commands.ts';
import { Refusal } from '../../broker/errors.ts';
import type { Origin } from '../../broker/records.ts';
import type { Call } from '../protocol.ts';
import { requireActionBody, requireExecBody, requireNoBody, requireOrphanBody } from './shapes.ts';

/**
 * An id that cannot be kept is of nothing. `instance_id` of the query stands in place of the part of the path: ids of
 * dots, which broker 0.1.0 took, are folded away in a path.
 */
export function requireInstanceId({ params, query }: Pick<Call, 'params' | 'query'>): string {
  const instanceId = query.get('instance_id') ?? params['instanceId'] ?? '';
  if (isStorable(instanceId)) return instanceId;
  throw new Refusal('not-found', 'There is no service instance with this id.');
}

export function readDrain(call: Call, draining: boolean): DrainNode {
  return { node: requireNode(call), draining, origin: originOf(call) };
}

export function readForget(call: Call, abandon: boolean): ForgetNode {
  return { node: requireNode(call), abandon, origin: originOf(call) };
}

export function requireNode({ params: { node = '' } }: Call): string {
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
  const bindingId = call.query.get('binding_id') ?? call.params['bindingId'] ?? '';
  if (!isStorable(bindingId))
    throw new Refusal('not-found', 'The service instance has no binding with this id.');
  return { ...commandOf(call), bindingId };
}

/** What is deleted is gone with its data: so its id is said once more. */
export function readInstanceRemoval(call: Call): RemoveInstance {
  const command = commandOf(call);
  requireConfirmed(call, command.instanceId, 'instance');
  return command;
}

export function requireOperationId({ params: { operationId = '' } }: Pick<Call, 'params'>): string {
  if (isStorable(operationId)) return operationId;
  throw new Refusal('not-found', 'There is no operation with this id, or it is forgotten already.');
}

export function readRepair(call: Call): RepairOperation {
  requireNoBody(call.body ?? {});
  return { operationId: requireOperationId(call), origin: originOf(call) };
}

/** What is forgotten is gone from every list. */
export function readPurge(call: Call): PurgeInstance {
  requireNoBody(call.body ?? {});
  const { instanceId, origin } = readInstanceRemoval(call);
  return { instanceId, origin };
}

export function readBindingPurge(call: Call): PurgeBinding {
  requireNoBody(call.body ?? {});
  const { instanceId, bindingId, origin } = readBindingRemoval(call);
  requireConfirmed(call, bindingId, 'binding');
  return { instanceId, bindingId, origin };
}

function requireConfirmed({ query }: Call, id: string, what: string): void {
  if (query.get('confirm') === id) return;
  throw new Refusal('invalid', `confirm must be the id of the ${what} once more.`, 'confirm');
}

export function commandOf(call: Call): Recreate {
  return {
    instanceId: requireInstanceId(call),
    // Nobody is to wait for a program that takes its time.
    acceptsIncomplete: true,
    origin: originOf(call),
  };
}

/** Whose request it is. */
export function originOf({ principal, requestId }: Call): Origin {
  return { protocol: 'operator', principal, requestId };
}

export function readOrphanRemoval(call: Call): RemoveOrphan {
  return { ...requireOrphanBody(call.body), origin: originOf(call) };
}

/** Milliseconds that a command may take when nothing is said. */
const usualTimeout = 30_000;

export function readExec(call: Call): Exec {
  const of = unitCommandOf(call);
  const { command, unit, timeout = usualTimeout } = requireExecBody(call.body);
  return { ...of, command, unit, timeout };
}

export function readLog(call: Call): ReadLog {
  const { query } = call;
  const of = unitCommandOf(call);
  return { ...of, unit: readText(query, 'unit'), lines: readNumber(query, 'lines', 100, 10_000) };
}

function unitCommandOf(call: Call) {
  const passedOn = readFlag(call.query, 'passed_on');
  return { instanceId: requireInstanceId(call), origin: originOf(call), passedOn };
}

/** Undefined where nothing is said. */
export function readText(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name) || undefined;
  if (value === undefined || isStorable(value)) return value;
  throw new Refusal('invalid', `${name} holds a character that cannot be kept, or too many.`, name);
}

/** One of these; undefined where nothing is said. */
export function readWord<Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const asked = readText(query, name);
  const word = words.find((one) => one === asked);
  if (asked === undefined || word !== undefined) return word;
  throw new Refusal('invalid', `${name} must be one of ${words.join(', ')}.`, name);
}

/** `true` or `false`; false where nothing is said. */
export function readFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name) || 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Refusal('invalid', `${name} must be true or false.`, name);
}

/** From 1 to `most`. */
export function readNumber(query: URLSearchParams, name: string, usual: number, most: number): number {
  const value = query.get(name);
  if (value === null || value === '') return usual;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw new Refusal('invalid', `${name} must be a whole number from 1 to ${most}.`, name);
}

export function isStorable(text: string): boolean {
  return text !== '' && text.length <= 1000 && text.isWellFormed() && !text.includes('\0');
}
