/**
 * The echo and invert services. Nothing is made outside the broker's own rows: the service reads the
 * binding's token from them, so a binding works from the moment it is stored until it is removed.
 */
import type { ServicePlan } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import type { Made, Provisioner, Step, Work } from '../../broker/provisioner.ts';
import { echoFacts } from './facts.ts';
import { tokenNames } from './tokens.ts';
import { traits } from './traits.ts';

/** Provisioner for offerings that are answered by the `echoService` of this program. */
export function echo(): Provisioner {
  return {
    name: 'echo',
    traits,
    provision: make,
    update: make,
    deprovision: async () => ({ done: undefined }),
    bind: async () => ({ done: {} }),
    unbind: async () => ({ done: undefined }),
  };
}

async function make({ plan }: Work): Promise<Step<Made>> {
  requireSecret(plan, tokenNames.binding, 'binding');
  requireSecret(plan, tokenNames.instance, 'instance');
  return { done: { facts: echoFacts(plan.making) } };
}

/** Without its secrets nobody could ever use what is made. */
function requireSecret(
  { offeringName, making }: ServicePlan,
  name: string,
  per: 'instance' | 'binding',
): void {
  if (making.secrets[name]?.per === per) return;
  throw new Failure('misconfigured', 'The operator must complete the definition of this service.', {
    detail: `The file of offering '${offeringName}' must have the secret '${name}' per ${per}.`,
  });
}
