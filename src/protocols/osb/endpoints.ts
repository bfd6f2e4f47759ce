import type { Broker } from '../../broker/broker.ts';
import { Failure, Refusal } from '../../broker/errors.ts';
import type { Operation, Origin } from '../../broker/records.ts';
import type { Call, Handler } from '../protocol.ts';
import { errorReply } from './errors.ts';
import { readIdentity } from './identity.ts';
import { isId, readIds, requireFindable, requireFindableInstance } from './ids.ts';
import { isOfCloudFoundry } from './platform.ts';
import {
  readBind,
  readDeprovision,
  readLastOperation,
  readProvision,
  readUnbind,
  readUpdate,
} from './requests.ts';
import {
  bindingReply,
  instanceReply,
  lastOperationReply,
  madeBindingReply,
  madeInstanceReply,
  removedReply,
} from './responses.ts';

type Endpoint =
  | 'provision'
  | 'update'
  | 'deprovision'
  | 'bind'
  | 'unbind'
  | 'fetchInstance'
  | 'fetchBinding'
  | 'lastOperation';

/** One handler for each thing that a platform can ask: read the call, ask the broker, tell the outcome. */
export function endpoints(
  broker: Broker,
  warn: (message: string) => void,
): Readonly<Record<Endpoint, Handler>> {
  const origin = (call: Call): Origin => originOf(call, warn);
  return {
    provision: async (call) =>
      madeInstanceReply('provision', await broker.provision(readProvision(call, origin(call)))),
    update: answering('update', async (call) =>
      madeInstanceReply('update', await broker.update(readUpdate(call, origin(call)))),
    ),
    deprovision: answering('deprovision', async (call) => {
      const command = readDeprovision(call, origin(call));
      return removedReply(
        'deprovision',
        isId(readIds(call).instanceId) ? await broker.deprovision(command) : never,
      );
    }),
    bind: answering('bind', async (call) =>
      madeBindingReply(await broker.bind(readBind(call, origin(call)))),
    ),
    unbind: answering('unbind', async (call) => {
      const command = readUnbind(call, origin(call));
      const { instanceId, bindingId } = readIds(call);
      const findable = isId(instanceId) && isId(bindingId);
      return removedReply('unbind', findable ? await broker.unbind(command) : never);
    }),
    fetchInstance: async (call) => instanceReply(await broker.instance(requireFindableInstance(call))),
    async fetchBinding(call) {
      const instanceId = requireFindableInstance(call);
      const { bindingId } = readIds(call);
      return bindingReply(await broker.binding(instanceId, requireFindable(bindingId, 'binding')));
    },
    lastOperation: async (call) => lastOperationReply(await broker.lastOperation(readLastOperation(call))),
  };
}

/** Nothing was ever made with an id that cannot be. */
const never = { is: 'absent' } as const;

function originOf({ headers, principal, requestId }: Call, warn: (message: string) => void): Origin {
  const identity = readIdentity(headers['x-broker-api-originating-identity'], (message) =>
    warn(`${message} Request ${requestId}.`),
  );
  return { protocol: 'osb', principal, identity, requestId };
}

/** Some answers to errors depend on the operation that was asked for, and on who has asked. */
function answering(kind: Operation['kind'], handler: (call: Call) => ReturnType<Handler>): Handler {
  return async (call) => {
    try {
      return await handler(call);
    } catch (error) {
      if (error instanceof Refusal || error instanceof Failure)
        return errorReply(forReader(call, error), kind);
      throw error;
    }
  };
}

/**
 * Cloud Controller repeats neither a 422 nor a 503, but begins to clean up after the latter, and shows the former as
 * what it is. Others come again after a 503, and a 422 is final for them.
 */
function forReader(call: Call, error: Refusal | Failure): Refusal | Failure {
  const isFinal = error instanceof Refusal && error.code === 'occupied' && isOfCloudFoundry(call);
  return isFinal ? new Refusal('busy', error.message) : error;
}
