import type { Broker } from '../../../src/broker/broker.ts';
import type { Dependency, ServicePlan } from '../../../src/broker/catalog.ts';
import type { BrokerContext, Settings } from '../../../src/broker/context.ts';
import type { OperationQueue } from '../../../src/broker/queue.ts';
import type { JsonObject } from '../../../src/broker/json.ts';
import type { Operation, ServiceInstance } from '../../../src/broker/records.ts';
import type { Store } from '../../../src/broker/store.ts';
import { aPlan, toBind, toProvision } from '../fixtures.ts';
import { coreInMemory, scripted, type CoreInMemory } from '../core-in-memory.ts';

/** An app that needs a database, and what there is of either. */

type Script = Parameters<typeof scripted>[0];
type PlanParts = NonNullable<Parameters<typeof aPlan>[0]>;

/** A plan of an offering; it answers what it was given of the others, and a secret of its own. */
export function planOf(offering: string, { operating, making, ...rest }: PlanParts = {}): ServicePlan {
  const id = rest.id ?? `${offering}-small`;
  return aPlan({
    offeringId: offering,
    offeringName: offering,
    ...rest,
    id,
    making: {
      secrets: { password: { per: 'binding', length: 20 } },
      answer: { credentials: { uri: `${offering}://{{instance.key}}:{{secrets.password}}` } },
      ...making,
    },
    ...(operating ? { operating } : {}),
  });
}

export function needOf(offering: string, rest: Partial<Dependency> = {}): Dependency {
  return { offering, parameters: {}, ...('instance' in rest ? {} : { plan: `${offering}-small` }), ...rest };
}

/** Needs one `db` of its own unless told otherwise, and hands its address on. */
export function appPlan(rest: PlanParts = {}, requires: Record<string, Dependency> = { db: needOf('db') }) {
  return planOf('app', {
    making: { answer: { credentials: { db: '{{deps.db.uri}}' } } },
    ...rest,
    operating: { dependencies: requires, ...rest.operating },
  });
}

export const app = { offeringId: 'app', planId: 'app-small' };
export const db = { offeringId: 'db', planId: 'db-small' };

export interface NeedingCore extends CoreInMemory, ReturnType<typeof scripted> {
  /** `app i1`, `db p0123...`, `db p0123.../p4567...`: what exists, as the provisioner made and removed it. */
  readonly things: () => readonly string[];
}

/** What the script leaves out just happens, and is remembered as a thing. */
export function needingCore(
  plans: readonly ServicePlan[] = [appPlan(), planOf('db')],
  script: Script = {},
): NeedingCore {
  const things = new Set<string>();
  const made = scripted({
    ...script,
    async provision(work) {
      things.add(`${work.plan.offeringName} ${work.instance.id}`);
      return (await script.provision?.(work)) ?? { done: {} };
    },
    async deprovision(work) {
      const step = (await script.deprovision?.(work)) ?? { done: {} };
      if ('done' in step) things.delete(`${work.plan.offeringName} ${work.instance.id}`);
      return step;
    },
    async bind(work) {
      things.add(`${work.plan.offeringName} ${work.instance.id}/${work.binding?.id}`);
      return (await script.bind?.(work)) ?? { done: {} };
    },
    async unbind(work) {
      const step = (await script.unbind?.(work)) ?? { done: {} };
      if ('done' in step) things.delete(`${work.plan.offeringName} ${work.instance.id}/${work.binding?.id}`);
      return step;
    },
  });
  return { ...coreInMemory(made.provisioner, plans), ...made, things: () => [...things].toSorted() };
}

/** Takes what is due, and lets pauses go by, until it has come to pass. */
export async function untilSo(
  { pass }: Pick<CoreInMemory, 'pass'>,
  works: readonly OperationQueue[],
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    if (await isSo()) return;
    const sleeps = await Promise.all(works.map((work) => work.tick()));
    if (Math.min(...sleeps) > 0) pass(100);
    await new Promise(setImmediate);
  }
  throw new Error('It did not come to pass within 10 s.');
}

/** Waits until no operation of the instance is open, and gives the latest that a platform can have asked for. */
export async function ended(
  core: CoreInMemory,
  works: readonly OperationQueue[],
  instanceId = 'i1',
): Promise<Operation | undefined> {
  await untilSo(core, works, async () => !(await core.store.findInstance(instanceId))?.operation);
  return (await core.store.lastOperation({ instanceId })).operation;
}

/** The instances that were made for this one. */
export async function childrenOf({ store }: Pick<CoreInMemory, 'store'>, parent = 'i1') {
  return (await store.list({ limit: 100 })).filter(({ instance }) => instance.parent === parent);
}

export async function onlyChildOf(
  core: Pick<CoreInMemory, 'store'>,
  parent = 'i1',
): Promise<Omit<ServiceInstance, 'confidential'>> {
  const [child, ...others] = await childrenOf(core, parent);
  if (!child || others.length > 0) throw new Error(`There are ${others.length + (child ? 1 : 0)} children.`);
  return child.instance;
}

export async function credentialsOf(broker: Broker, instanceId = 'i1'): Promise<JsonObject | undefined> {
  const outcome = await broker.bind(toBind({ ...app, instanceId, bindingId: 'own' }));
  return outcome.is === 'done' ? outcome.record.confidential.answer.credentials : undefined;
}

/** A database that everybody may use. */
export async function aSharedDb(broker: Broker): Promise<void> {
  await broker.provision(toProvision({ ...db, instanceId: 'shared' }));
}

/** A broker that is cut off with its so-manieth write: it never gets to know of it, nor of anything after. */
export function aMortal(
  core: CoreInMemory,
  writes: number,
  settings: Partial<Settings> = {},
  others: Partial<BrokerContext> = {},
) {
  let left = writes;
  const { store } = core;
  async function alive<Result>(ask: () => Promise<Result>, writing = false): Promise<Result> {
    if (left <= 0) throw new Error('It is cut off');
    const answer = await ask();
    if (writing) left -= 1;
    if (left <= 0) throw new Error('It is cut off');
    return answer;
  }
  const mortal: Store = {
    ...store,
    findInstance: (id) => alive(() => store.findInstance(id)),
    findBinding: (id, bindingId) => alive(() => store.findBinding(id, bindingId)),
    lastOperation: (query) => alive(() => store.lastOperation(query)),
    renew: (held, leaseMs) => alive(() => store.renew(held, leaseMs)),
    claim: (holder, leaseMs, node) => alive(() => store.claim(holder, leaseMs, node)),
    open: (opening) => alive(() => store.open(opening), true),
    place: (opening, demand) => alive(() => store.place(opening, demand), true),
    postpone: (held, pause) => alive(() => store.postpone(held, pause), true),
    settle: (held, settlement) => alive(() => store.settle(held, settlement), true),
  };
  return { ...core.broker(settings, { store: mortal, ...others }), isDead: () => left <= 0 };
}
