import type { OperatorClient } from '../../../protocols/operator/client.ts';

/** Speaks to the broker that runs with the same variables as this command; help is shown without what that takes. */
export async function operatorOfHere(): Promise<OperatorClient> {
  const { openOperatorClient } = await import('./open-operator-client.ts');
  return openOperatorClient();
}
