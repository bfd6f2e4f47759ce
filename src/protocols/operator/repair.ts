import type { Broker } from '../../broker/broker.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import type { Operation } from '../../broker/records.ts';
import type { Handler, Reply } from '../protocol.ts';
import { readBindingsQuery } from './list-queries.ts';
import {
  readBindingPurge,
  readInstanceRemoval,
  readPurge,
  readRepair,
  readWhole,
  requireOperationId,
} from './requests.ts';
import { acted, ok } from './replies.ts';
import { acceptedReply, listedBindingReply, listedOperationReply } from './responses.ts';
import type { MissingAnswer } from './wire/broker.ts';
import type { BindingsAnswer } from './wire/instances.ts';
import type {
  ActionAnswer,
  ForceDeleteAnswer,
  ListedOperationAnswer,
  PurgeAnswer,
} from './wire/operations.ts';

/** What is done when something went wrong, and what shows it. */
export type Repaired = Pick<
  Broker,
  | 'bindings'
  | 'missing'
  | 'operation'
  | 'retryOperation'
  | 'cancelOperation'
  | 'purgeInstance'
  | 'purgeBinding'
  | 'forceDelete'
  | 'protectInstance'
  | 'undeleteInstance'
>;

export function repairEndpoints(broker: Repaired, overview: Pick<OperatorView, 'offerings'>) {
  return {
    async bindings(call) {
      const page = await broker.bindings(readBindingsQuery(call, overview.offerings()));
      return ok<BindingsAnswer>({ bindings: page.bindings.map(listedBindingReply), next: page.next });
    },
    'instances missing': missingEndpoint(broker),
    'operations show': async (call) =>
      ok<ListedOperationAnswer>(listedOperationReply(await broker.operation(requireOperationId(call)))),
    'operations retry': async (call) => acted(await broker.retryOperation(readRepair(call))),
    'operations cancel': async (call) => cancelled(await broker.cancelOperation(readRepair(call))),
    'instances purge': async (call) => ok<PurgeAnswer>(await broker.purgeInstance(readPurge(call))),
    'instances purge-binding': async (call) =>
      ok<PurgeAnswer>(await broker.purgeBinding(readBindingPurge(call))),
    'instances undelete': async (call) => acted(await broker.undeleteInstance(readWhole(call))),
    'instances protect': protectionEndpoint(broker, true),
    'instances unprotect': protectionEndpoint(broker, false),
    async 'instances force-delete'(call) {
      const outcome = await broker.forceDelete(readInstanceRemoval(call));
      return outcome.is === 'forgotten' ? ok<ForceDeleteAnswer>({ left: outcome.left }) : acted(outcome);
    },
  } satisfies Readonly<Record<string, Handler>>;
}

function protectionEndpoint(broker: Pick<Broker, 'protectInstance'>, protects: boolean): Handler {
  return async (call) => {
    const { instanceId, origin } = readWhole(call);
    await broker.protectInstance({ instanceId, protects, origin });
    return ok<ActionAnswer>({});
  };
}

/** One that has ended meanwhile as it was asked to is told as it is. */
function cancelled(operation: Operation): Reply {
  return { status: operation.state === 'in progress' ? 202 : 200, body: acceptedReply(operation) };
}

/** Rows without a thing: the other direction of orphans. */
function missingEndpoint(broker: Pick<Broker, 'missing'>): Handler {
  return async () => {
    const { missing, unseen } = await broker.missing();
    const body: MissingAnswer = {
      missing: missing.map(({ instance, key, provisioner, node }) => ({
        id: instance.id,
        key,
        offering_id: instance.offeringId,
        plan_id: instance.planId,
        provisioner,
        node,
      })),
      unseen,
    };
    return { status: 200, body };
  };
}
