import type { InstanceDetails } from '../../../broker/operator-view.ts';
import type { DeclaredActions } from '../wire/actions.ts';

export function declaredReply(actions: InstanceDetails['actions']): DeclaredActions {
  const all = Object.entries(actions).map(
    ([name, { description, schema }]) => [name, { description, parameters: schema }] as const,
  );
  return Object.fromEntries(all);
}
