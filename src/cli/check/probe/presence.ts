import { Inapplicable, Shortcoming } from './findings.ts';
import { endOf, keptBinding, keptInstance } from './lifecycle.ts';
import type { Probe } from './probe.ts';
import { bindingPath, deleteRequest, instancePath } from './requests.ts';
import type { WireAnswer } from './wire.ts';

/**
 * Is an instance or binding there? It is fetched, where the broker can tell what it does not know from what it knows,
 * else deleted. Undefined: this broker does not say.
 */
export async function isThere(probe: Probe, path: string): Promise<boolean | undefined> {
  const kind = path.includes('/service_bindings/') ? 'binding' : 'instance';
  if (await tells(probe, kind, 'fetch')) return (await fetched(probe, path)).status === 200;
  if (!(await tells(probe, kind, 'delete'))) return undefined;
  const answer = await probe.send(deleteRequest(probe, path));
  if (answer.status === 202) await endOf(probe, path, answer, 'a deletion');
  return answer.status === 200 || answer.status === 202;
}

/** @param subject what was refused, as the begin of a sentence. @throws Shortcoming when it was made all the same */
export async function requireAbsent(
  probe: Probe,
  path: string,
  subject: string,
  answer?: WireAnswer,
): Promise<void> {
  if ((await isThere(probe, path)) !== true) return;
  throw new Shortcoming(`${subject} was refused, and what it asked for is there all the same.`, answer);
}

/** @param subject what was refused, as the begin of a sentence. @throws Shortcoming when it is not there any more */
export async function requirePresent(
  probe: Probe,
  path: string,
  subject: string,
  answer?: WireAnswer,
): Promise<void> {
  const kind = path.includes('/service_bindings/') ? 'binding' : 'instance';
  if (!(await tells(probe, kind, 'fetch')) || (await fetched(probe, path)).status === 200) return;
  throw new Shortcoming(`${subject} was refused, and what it named is gone all the same.`, answer);
}

function fetched(probe: Probe, path: string): Promise<WireAnswer> {
  return probe.send({ method: 'GET', path });
}

/** Can what is there be told from what never was in this way? Found out once. */
async function tells(probe: Probe, kind: 'instance' | 'binding', by: 'fetch' | 'delete'): Promise<boolean> {
  const { instancesRetrievable, bindingsRetrievable } = probe.market;
  if (by === 'fetch' && !(kind === 'instance' ? instancesRetrievable : bindingsRetrievable)) return false;
  const name = `${by} tells ${kind}`;
  const found = probe.known.get(name) as boolean | undefined;
  if (found !== undefined) return found;
  const never = instancePath(probe.newId());
  const path = kind === 'instance' ? never : bindingPath(never, probe.newId());
  const answer = await (by === 'fetch' ? fetched(probe, path) : probe.send(deleteRequest(probe, path)));
  const saysNo = answer.status === (by === 'fetch' ? 404 : 410);
  const does = saysNo && (by === 'delete' || (await fetchesKept(probe, kind)));
  probe.known.set(name, does);
  return does;
}

async function fetchesKept(probe: Probe, kind: 'instance' | 'binding'): Promise<boolean> {
  try {
    const { path } = await (kind === 'instance' ? keptInstance(probe) : keptBinding(probe));
    return (await fetched(probe, path)).status === 200;
  } catch (error) {
    if (error instanceof Inapplicable) return false;
    throw error;
  }
}
