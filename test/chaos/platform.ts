// A platform that loses answers, gives up, comes again and cleans up, and knows what it believes in.
import { setTimeout as pause } from 'node:timers/promises';
import { requireLawful } from '../support/lawful-answer.ts';
import type { Chance } from '../fuzz/random.ts';
import type { Slot } from './slot.ts';

export type Credentials = Readonly<Record<string, unknown>>;

export interface Believed<Name extends string> {
  readonly offering: Name;
  readonly bindings: ReadonlyMap<string, Credentials>;
}

export interface Platform<Name extends string = string> {
  /** One life of an instance, which may end with it kept. */
  live(): Promise<void>;
  /** No life that has not yet begun to clean up goes on. */
  stop(): void;
  /** By id. */
  readonly believed: ReadonlyMap<string, Believed<Name>>;
  /** Answers that were not lawful. */
  readonly faults: readonly string[];
  readonly counts: { lives: number; operations: number; requests: number; lost: number; mitigated: number };
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What Cloud Controller waits for an answer is 60 s; here that would be the time of everything. */
const patienceMs = 9000;

interface PlatformParts<Name extends string> {
  readonly slots: readonly Slot[];
  readonly offerings: readonly Name[];
  /** Of each offering: `<offering>-<plan>` is its id. With more than one, instances are moved between them. */
  readonly plans?: readonly string[];
  readonly chance: Chance;
}

export function createPlatform<Name extends string>({
  slots,
  offerings,
  plans = ['plan'],
  chance,
}: PlatformParts<Name>): Platform<Name> {
  const believed = new Map<string, { offering: Name; bindings: Map<string, Credentials> }>();
  const faults: string[] = [];
  const counts = { lives: 0, operations: 0, requests: 0, lost: 0, mitigated: 0 };
  let turn = 0;
  let isStopped = false;

  /** Undefined: nobody has answered, or not in time. */
  async function ask(
    method: string,
    path: string,
    body?: object,
    query: Readonly<Record<string, string>> = {},
  ) {
    const broker = slots[turn++ % slots.length]?.broker();
    counts.requests++;
    if (!broker) return undefined;
    try {
      const response = await fetch(`${broker.address}${path}?${new URLSearchParams(query).toString()}`, {
        method,
        signal: AbortSignal.timeout(patienceMs),
        headers: {
          authorization: `Basic ${Buffer.from('broker:p').toString('base64')}`,
          'x-broker-api-version': '2.17',
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      judge({ method: method.toLowerCase(), path, query }, response, text);
      return { status: response.status, body: JSON.parse(text) as Answer['body'] };
    } catch {
      counts.lost++;
      return undefined;
    }
  }

  function judge(
    request: Parameters<typeof requireLawful>[0],
    { status, headers }: Response,
    text: string,
  ): void {
    try {
      requireLawful(request, { status, text, headers: Object.fromEntries(headers) });
    } catch (error) {
      faults.push((error as Error).message);
    }
  }

  /** Polls until it has ended; `gone`: what it was about is not there any more. */
  async function pollToEnd(path: string): Promise<'succeeded' | 'failed' | 'gone'> {
    for (;;) {
      const polled = await ask('GET', `${path}/last_operation`);
      if (polled?.status === 410 || polled?.status === 404) return 'gone';
      const state = polled?.status === 200 ? polled.body['state'] : undefined;
      if (state === 'succeeded' || state === 'failed') return state;
      await pause(300);
    }
  }

  /** Asks for it until it is there; some ask again after a lost answer, as tsuru does, others give up at once. */
  async function make(path: string, body: object, persists: boolean): Promise<Answer['body'] | undefined> {
    counts.operations++;
    for (;;) {
      const answer = await ask('PUT', path, body, { accepts_incomplete: 'true' });
      const status = answer?.status ?? 0;
      if (status === 200 || status === 201) return answer?.body;
      if (status === 202) {
        if ((await pollToEnd(path)) !== 'succeeded') return undefined;
        const fetched = await fetchOf(path);
        if (fetched) return fetched;
      }
      if (status >= 400 && status < 500 && status !== 422)
        faults.push(`PUT ${path}: ${status} ${JSON.stringify(answer?.body)}`);
      const isPassing = status === 0 || status === 503 || status === 422;
      if (!persists || !isPassing) return undefined;
      await pause(300);
    }
  }

  async function fetchOf(path: string): Promise<Answer['body'] | undefined> {
    for (;;) {
      const fetched = await ask('GET', path);
      if (fetched?.status === 200) return fetched.body;
      if (fetched?.status === 404) return undefined;
      await pause(300);
    }
  }

  /** Comes again until it is told that nothing is there. */
  async function remove(path: string, query: Readonly<Record<string, string>>): Promise<void> {
    counts.operations++;
    for (;;) {
      const answer = await ask('DELETE', path, undefined, { ...query, accepts_incomplete: 'true' });
      if (answer?.status === 200 || answer?.status === 410) return;
      if (answer?.status === 202 && (await pollToEnd(path)) === 'gone') return;
      if (answer?.status === 400) faults.push(`DELETE ${path}: ${JSON.stringify(answer.body)}`);
      await pause(300);
    }
  }

  /** Until it has ended well or not: in both cases the instance is as one of its plans says. */
  async function change(path: string, body: object): Promise<void> {
    counts.operations++;
    for (;;) {
      const answer = await ask('PATCH', path, body, { accepts_incomplete: 'true' });
      const status = answer?.status ?? 0;
      if (status === 200) return;
      if (status === 202 && (await pollToEnd(path)) !== 'gone') return;
      if (status >= 400 && status < 500 && status !== 422)
        faults.push(`PATCH ${path}: ${status} ${JSON.stringify(answer?.body)}`);
      await pause(300);
    }
  }

  async function live(): Promise<void> {
    const id = `i${++counts.lives}`;
    const offering = chance.of(offerings);
    const [persists, isKept, count] = [chance.once(2), chance.once(4), 1 + chance.below(3)];
    const named = { service_id: offering, plan_id: `${offering}-${chance.of(plans)}` };
    const path = `/v2/service_instances/${id}`;
    const where = { organization_guid: 'o', space_guid: 's' };
    if (!(await make(path, { ...named, ...where }, persists))) {
      counts.mitigated++;
      return remove(path, named);
    }
    const bindings = new Map<string, Credentials>();
    believed.set(id, { offering, bindings });
    const bind = async (bindingId: string) => {
      const at = `${path}/service_bindings/${bindingId}`;
      const bound = await make(at, named, persists);
      if (bound) return void bindings.set(bindingId, bound['credentials'] as Credentials);
      counts.mitigated++;
      return remove(at, named);
    };
    await Promise.all(Array.from({ length: count }, (_, at) => bind(`${id}b${at}`)));
    if (plans.length > 1 && chance.once(2))
      await change(path, { service_id: offering, plan_id: `${offering}-${chance.of(plans)}` });
    if (chance.once(2)) {
      const [first] = bindings.keys();
      if (first !== undefined) await remove(`${path}/service_bindings/${first}`, named);
      bindings.delete(first ?? '');
    }
    if (isKept && !isStopped) return;
    await remove(path, named);
    believed.delete(id);
  }
  return { live, stop: () => void (isStopped = true), believed, faults, counts };
}
