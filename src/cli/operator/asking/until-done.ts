import type { OperatorClient } from '../../../protocols/operator/client.ts';
import type { ForceDeleteAnswer, OperationAnswer } from '../../../protocols/operator/wire/operations.ts';
import { until } from '../../../system/until.ts';
import { printFor } from '../../output/print.ts';
import { printable } from '../../table.ts';
import { describeOperation } from '../instance-answers.ts';
import { operatorOfHere } from './operator-of-here.ts';

/** How something is done. */
interface Doing {
  /** As the command is called, for what is done without an operation. */
  readonly verb: string;
  /** The instance. */
  readonly id: string;
  readonly json: true | undefined;
  readonly wait?: typeof untilEnded;
}

/** Has it done, waits for its end, and tells it. */
export async function doAndTell(
  { verb, id, json, wait = untilEnded }: Doing,
  ask: (client: OperatorClient) => Promise<ForceDeleteAnswer>,
): Promise<number> {
  const client = await operatorOfHere();
  const { operation, left } = await ask(client);
  const ended = operation && (await wait(client, id, operation));
  const lines = [ended ? describeOperation(ended) : `${verb} succeeded`, ...(left ? [leftBehind(left)] : [])];
  printFor(json, { operation: ended, left }, lines.join('\n'));
  return ended?.state === 'failed' ? 1 : 0;
}

/** Milliseconds between two questions. */
const askEvery = { first: 200, longest: 2000, factor: 1.5 };

/** However long it takes: that of a node that is away goes on when the node is back. */
export async function untilEnded(
  client: OperatorClient,
  id: string,
  operation: OperationAnswer,
): Promise<OperationAnswer> {
  let isTold = false;
  const ended = await until(async () => {
    const { operations, status, reason } = await client.instance(id);
    const now = operations.find((one) => one.id === operation.id);
    if (now && now.state !== 'in progress') return now;
    if (status === 'down' && !isTold) {
      isTold = true;
      console.error(waitingFor(operation, reason));
    }
    return undefined;
  }, askEvery);
  return ended ?? operation;
}

/** Whatever it is of. */
export async function untilOver(
  client: OperatorClient,
  operation: OperationAnswer,
): Promise<OperationAnswer> {
  const ended = await until(async () => {
    const now = await client.operation(operation.id);
    return now.state === 'in progress' ? undefined : now;
  }, askEvery);
  return ended ?? operation;
}

/** Of a deletion: what has gone can be asked for no more, but its operations can. */
export async function untilRemoved(
  client: OperatorClient,
  id: string,
  operation: OperationAnswer,
): Promise<OperationAnswer> {
  const ended = await until(async () => {
    const { operations } = await client.operations({ instance: id, kind: 'deprovision' });
    const now = operations.find((one) => one.id === operation.id);
    return now?.state === 'in progress' ? undefined : (now ?? operation);
  }, askEvery);
  return ended ?? operation;
}

function waitingFor({ kind }: OperationAnswer, reason: string): string {
  return `Waiting: ${reason}. Ctrl-C ends the waiting; the ${kind} is carried out all the same when that is over.`;
}

/** What is forgotten and still there. */
export function leftBehind(left: readonly string[]): string {
  if (left.length === 0) return 'Nothing that can be seen is left of it.';
  return ['Left behind:', ...left.map((one) => `  ${printable(one)}`)].join('\n');
}
