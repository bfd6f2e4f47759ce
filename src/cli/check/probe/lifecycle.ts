import type { Json, JsonObject } from '../../../broker/json.ts';
import { Inapplicable, onlyWhen, Shortcoming } from './findings.ts';
import { isText } from './market.ts';
import type { Probe } from './probe.ts';
import { bindingPath, bindRequest, deleteRequest, instancePath, provisionRequest } from './requests.ts';
import type { WireAnswer } from './wire.ts';

/** What a case needs before it can ask its own question. A broker that cannot give it makes the case inapplicable. */

/** An instance or binding. */
export interface LivingThing {
  readonly path: string;
  /** The answer to the request that made it. */
  readonly answer: WireAnswer;
}

/** How an operation has ended, and the answer that told. */
export interface OperationEnd {
  readonly is: 'succeeded' | 'failed' | 'gone';
  readonly answer: WireAnswer;
}

type Changes = Readonly<Record<string, Json | undefined>>;

/** A new instance, ready. @throws Inapplicable */
export async function freshInstance(probe: Probe, changes: Changes = {}): Promise<LivingThing> {
  const path = instancePath(probe.newId());
  const answer = await probe.send(provisionRequest(probe, path, changes));
  await requireMade(probe, path, answer, 'instance');
  return { path, answer };
}

/** One that several cases look at and none changes. @throws Inapplicable */
export function keptInstance(probe: Probe): Promise<LivingThing> {
  return kept(probe, keptNames.instance, () => freshInstance(probe));
}

/** A new binding, ready; of the kept instance, unless another one is named. @throws Inapplicable */
export async function freshBinding(
  probe: Probe,
  changes: Changes = {},
  instance?: Pick<LivingThing, 'path'>,
): Promise<LivingThing> {
  onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
  const { path: of } = instance ?? (await keptInstance(probe));
  const path = bindingPath(of, probe.newId());
  const answer = await probe.send(bindRequest(probe, path, changes));
  await requireMade(probe, path, answer, 'binding');
  return { path, answer };
}

/** One that several cases look at and none changes. @throws Inapplicable */
export function keptBinding(probe: Probe): Promise<LivingThing> {
  return kept(probe, keptNames.binding, () => freshBinding(probe));
}

/** An instance that is still being made. @throws Inapplicable when the broker makes them at once */
export async function begunInstance(probe: Probe, changes: Changes = {}): Promise<LivingThing> {
  return begun(probe, 'instances are made at once', async () => {
    const path = instancePath(probe.newId());
    return { path, answer: await probe.send(provisionRequest(probe, path, changes)) };
  });
}

/** A binding that is still being made. @throws Inapplicable when the broker makes them at once */
export async function begunBinding(probe: Probe, changes: Changes = {}): Promise<LivingThing> {
  onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
  const { path: instance } = await keptInstance(probe);
  return begun(probe, 'bindings are made at once', async () => {
    const path = bindingPath(instance, probe.newId());
    return { path, answer: await probe.send(bindRequest(probe, path, changes)) };
  });
}

/** @param atOnce what is known of a broker that is never seen in the middle of it */
export async function begun(
  probe: Probe,
  atOnce: string,
  begin: () => Promise<LivingThing>,
): Promise<LivingThing> {
  const sentence = `It cannot be seen in progress: ${atOnce}.`;
  onlyWhen(!probe.known.has(atOnce), sentence);
  const thing = await begin();
  if (thing.answer.status === 202) return thing;
  if (thing.answer.status < 300) probe.known.set(atOnce, true);
  throw new Inapplicable(thing.answer.status < 300 ? sentence : notGiven(thing.answer, 'an operation'));
}

/** The names of what is kept between cases. */
export const keptNames = { instance: 'kept instance', binding: 'kept binding' } as const;

/** Which paths are kept for other cases. */
export function keptPaths(probe: Probe): readonly string[] {
  return Object.values(keptNames)
    .map((name) => (probe.known.get(name) as LivingThing | undefined)?.path)
    .filter((path) => path !== undefined);
}

/** What was kept may no longer be as it was. */
export function forgetKept(probe: Probe): void {
  for (const name of Object.values(keptNames)) probe.known.delete(name);
}

/**
 * Polls until the operation has ended, as leniently as can be: whether the polling itself is right is a question of
 * its own.
 * @param answer the 202 that told of it
 * @throws Shortcoming when it does not end in time, Inapplicable when it cannot be polled
 */
export async function awaitEnd(probe: Probe, path: string, answer: WireAnswer): Promise<OperationEnd> {
  const until = performance.now() + probe.operationWithin;
  const { serviceId, planId } = probe.market;
  const { operation } = answer.body;
  const hints = { service_id: serviceId, plan_id: planId };
  let query: Record<string, string | undefined> = {
    ...hints,
    operation: typeof operation === 'string' ? operation : undefined,
  };
  for (;;) {
    const polled = await probe.send({ method: 'GET', path: `${path}/last_operation`, query });
    const { state } = polled.body;
    if (polled.status === 410) return { is: 'gone', answer: polled };
    if (state === 'succeeded' || state === 'failed') return { is: state, answer: polled };
    if (polled.status !== 200 && query['operation'] !== undefined) query = hints;
    else if (polled.status === 404) return { is: 'gone', answer: polled };
    else if (polled.status !== 200) throw new Inapplicable(notGiven(polled, 'the state of an operation'));
    if (performance.now() > until) {
      const seconds = probe.operationWithin / 1000;
      throw new Shortcoming(`An operation has not ended within ${seconds} s.`, polled);
    }
    await probe.wait(pollPause(polled));
  }
}

/** Milliseconds between two polls: what the broker asks for, within reason, else a second. */
export function pollPause({ headers }: WireAnswer): number {
  const after = headers['retry-after'] ?? '1';
  const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 10), 10_000) : 1000;
}

/** The end of what was asked for, at once or later. @throws Inapplicable when it was refused */
export async function endOf(
  probe: Probe,
  path: string,
  answer: WireAnswer,
  what: string,
): Promise<OperationEnd> {
  if (answer.status === 202) return awaitEnd(probe, path, answer);
  if (answer.status < 300) return { is: 'succeeded', answer };
  if (answer.status === 410) return { is: 'gone', answer };
  throw new Inapplicable(notGiven(answer, what));
}

/** Deletes it, and waits until that has ended. @throws Inapplicable when it cannot be deleted */
export async function removeThing(probe: Probe, path: string): Promise<void> {
  const answer = await probe.send(deleteRequest(probe, path));
  const { is } = await endOf(probe, path, answer, 'a deletion');
  onlyWhen(is !== 'failed', 'Its deletion has failed.');
}

async function requireMade(
  probe: Probe,
  path: string,
  answer: WireAnswer,
  what: 'instance' | 'binding',
): Promise<void> {
  const end = await endOf(probe, path, answer, `an ${what}`.replace('an b', 'a b'));
  if (end.is === 'succeeded') return;
  throw new Inapplicable(`The broker has not made the ${what} that this needs.`);
}

function notGiven({ status, body }: WireAnswer, what: string): string {
  const said = body['description'];
  const reason = isText(said) ? `: ${said}` : '';
  return `This needs ${what}, and the broker answered ${status}${reason}`.replace(/\.?$/, '.');
}

async function kept(probe: Probe, name: string, make: () => Promise<LivingThing>): Promise<LivingThing> {
  const found = probe.known.get(name) as LivingThing | undefined;
  if (found) return found;
  const made = await make();
  probe.known.set(name, made);
  return made;
}

/** The body of an object that was made: of the first answer, or what can be fetched when it took its time. */
export async function bodyOf(probe: Probe, { path, answer }: LivingThing): Promise<JsonObject> {
  if (answer.status !== 202) return answer.body;
  return (await probe.send({ method: 'GET', path })).body;
}
