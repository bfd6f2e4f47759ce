// Where the credentials of bindings lie for platforms that are given references in place of them.
import { Failure } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Inventory } from './provisioner.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';
import type { Settlement } from './store.ts';

/** It is recorded with the intent to bind, so that what lies there is found whatever happens. */
export type CredentialPlace = NonNullable<ServiceBinding['confidential']['kept']>;

/** Credentials that lie there although no instance stands for them are orphans, like what provisioners make. */
export interface CredentialStore extends Inventory {
  /** Of a binding in this life of its instance. @param offering its name, for people */
  nameOf(binding: ServiceBinding, instance: ServiceInstance, offering: string): string;
  /**
   * Puts credentials there for their reader alone, in place of what is there; gives what the platform gets.
   * @throws Failure when that is refused, and any other Error when trying again may help
   */
  put(place: CredentialPlace, credentials: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** Removes them; what is gone is gone. @throws as `put` does */
  remove(place: CredentialPlace, signal: AbortSignal): Promise<void>;
}

interface Keeping {
  readonly credentialStore?: CredentialStore | undefined;
}

/** The same settlement, with a reference in place of the credentials of a binding that was made. */
export async function withReference(
  core: Keeping,
  settlement: Settlement,
  signal: AbortSignal,
): Promise<Settlement> {
  const made = settlement.binding && 'put' in settlement.binding ? settlement.binding.put : undefined;
  const { kept, answer } = made?.confidential ?? {};
  if (!made?.ready || !kept || !answer?.credentials) return settlement;
  const credentials = await storeOf(core).put(kept, answer.credentials, signal);
  const confidential = { ...made.confidential, answer: { ...answer, credentials } };
  return { ...settlement, binding: { put: { ...made, confidential } } };
}

/** When the service takes them no longer. */
export async function removeCredentials(
  core: Keeping,
  binding: ServiceBinding | undefined,
  signal: AbortSignal,
): Promise<void> {
  const kept = binding?.confidential.kept;
  if (kept) await storeOf(core).remove(kept, signal);
}

/** Where there is none any more, nothing is given out in clear in its place, and nothing is left behind unsaid. */
function storeOf({ credentialStore }: Keeping): CredentialStore {
  if (credentialStore) return credentialStore;
  throw new Failure('credentials', 'The credentials cannot be reached. Ask the operator of the broker.', {
    detail: 'They lie in CredHub, and this broker has no CREDHUB_URL.',
  });
}
