import { Refusal } from '../errors.ts';
import type { Operation } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';

/** Also one that cannot be read: of that everything is told but what is confidential. @throws Refusal 'not-found' */
export async function requireKnownOperation(
  { store }: RequestContext,
  operationId: string,
): Promise<Operation> {
  const [operation] = (await store.listOperations({ operationId, limit: 1 })).operations;
  if (operation) return operation;
  throw new Refusal('not-found', 'There is no operation with this id, or it is forgotten already.');
}
