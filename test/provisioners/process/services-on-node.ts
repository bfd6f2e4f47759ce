import type { Work } from '../../../src/broker/provisioner.ts';
import type { Failure } from '../../../src/broker/errors.ts';
import { aProcessNode, carry, plan, type ProcessNode, work } from './process-node.ts';

/** The node of the tests of one file. */
export let testNode: ProcessNode;

/** Work on what is removed after the test, by the instance's id. */
export const made = new Map<string, Work>();

/** Makes the node before the tests of a file, and removes after each what it has made. */
export function onProcessNode(): void {
  beforeAll(async () => {
    testNode = await aProcessNode();
  });
  afterEach(async () => {
    for (const each of made.values()) await carry(testNode.provisioner, 'deprovision', each);
    made.clear();
  });
  afterAll(() => testNode.close());
}

/** Work on an instance that is removed after the test. */
export function on(id: string, of = plan(), given: Parameters<typeof work>[2] = {}): Work {
  const it = work(id, of, given);
  made.set(id, it);
  return it;
}

/** What a step has failed with, and what it had done by then. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure & { did: readonly string[] }> {
  const failure: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return failure as Failure & { did: readonly string[] };
}
