import type { Peer } from '../../broker/context.ts';
import { Failure, Refusal, type RefusalCode } from '../../broker/errors.ts';
import type { NodeState } from '../../broker/nodes.ts';
import type { Origin } from '../../broker/records.ts';
import type { Login } from '../protocol.ts';
import { certificateTrouble } from '../refused-certificate.ts';
import { operatorClient, type OperatorClient } from './client.ts';
import type { Unanswered } from './exchange.ts';
import type { ErrorAnswer } from './wire/broker.ts';

/** Milliseconds for the way to the other broker and back, beside what it was asked to do. */
const travel = 10_000;

/**
 * Speaks to the brokers of other nodes, by their operator API.
 * @param login of the operators, the same at every broker; absent: nobody can be asked
 */
export function createPeers(login: Login | undefined): (node: NodeState) => Peer {
  return (node) => ({
    async exec({ instanceId, command, unit, timeout, origin }) {
      const client = clientOf({ node, login, origin, limit: timeout + travel });
      return (await client.exec(instanceId, { command, unit, timeout })).results;
    },
    async log({ instanceId, unit, lines, origin }) {
      const client = clientOf({ node, login, origin, limit: travel });
      return (await client.log(instanceId, { unit, lines: String(lines) })).units;
    },
  });
}

interface Asking {
  readonly node: NodeState;
  readonly login: Login | undefined;
  readonly origin: Origin;
  /** Milliseconds. */
  readonly limit: number;
}

function clientOf({ node, login, origin, limit }: Asking): OperatorClient {
  if (!login) throw unreachable(node, 'its operator API is off: OPERATOR_PASSWORD is not set here');
  return operatorClient({
    address: node.url,
    login,
    limit,
    redirect: 'error',
    passingOn: { node: node.name, requestId: origin.requestId },
    errorOf: (unanswered) => errorOf(node, unanswered),
  });
}

/** What the other broker refused, or failed to do, is told here with its own sentence. */
function errorOf(node: NodeState, unanswered: Unanswered): Refusal | Failure {
  switch (unanswered.is) {
    case 'late':
      return unreachable(node, 'it did not answer in time');
    case 'unreachable':
      return unreachable(node, whyNone(unanswered.code));
    case 'unreadable':
      return unreachable(node, 'it answered something else than a broker does');
    case 'refused':
      return taken(unanswered.answer) ?? unreachable(node, whyNot(unanswered.status));
  }
}

function whyNone(code: string | undefined): string {
  return certificateTrouble(code, 'NODE_URL there') ?? code ?? 'no connection';
}

function whyNot(status: number): string {
  return status === 401 ? 'it has another OPERATOR_PASSWORD' : `it answered with status ${status}`;
}

function unreachable(node: NodeState, reason: string): Refusal {
  return new Refusal(
    'unavailable',
    `The node ${node.name}, where this instance is, cannot be asked: ${reason}. Try again later.`,
  );
}

/** A refusal or failure, as the other broker has told it. */
function taken({ error, description, field, detail }: Partial<ErrorAnswer> = {}):
  Refusal | Failure | undefined {
  if (description === undefined) return undefined;
  if (error === 'failed') return new Failure(error, description, detail === undefined ? {} : { detail });
  const code = passedOn.find((one) => one === error);
  return code && new Refusal(code, description, field);
}

const passedOn: readonly RefusalCode[] = [
  'invalid',
  'not-found',
  'conflict',
  'busy',
  'occupied',
  'not-ready',
  'unsupported',
  'unreadable',
  'unavailable',
];
