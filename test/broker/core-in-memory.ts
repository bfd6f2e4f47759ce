import type { Broker } from '../../src/broker/broker.ts';
import { createBroker } from '../../src/broker/broker.ts';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import type { UnitMonitor } from '../../src/broker/units/monitor.ts';
import type { BrokerContext, Settings } from '../../src/broker/context.ts';
import { Refusal } from '../../src/broker/errors.ts';
import type { OperationQueue } from '../../src/broker/queue.ts';
import type { BrokerEvent } from '../../src/broker/events.ts';
import type { NodeProfile, Nodes, Ports } from '../../src/broker/nodes.ts';
import type { Orphans } from '../../src/broker/orphans.ts';
import type { Made, Provisioner, Step, Work, UnitControl } from '../../src/broker/provisioner.ts';
import type { Store } from '../../src/broker/store.ts';
import type { UnitFacts } from '../../src/broker/units.ts';
import { memoryDatabase } from '../../src/stores/memory/index.ts';
import { aPlan, newId } from './fixtures.ts';

const operating = ['start', 'stop', 'restart'] as const;
type Deed = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind' | (typeof operating)[number];
type Script = Partial<Record<Deed, (work: Work) => Promise<Step<Made>> | Step<Made>>> &
  Partial<Pick<UnitControl, 'inspect' | 'exec' | 'log'>>;

/**
 * A provisioner that does what a test tells it, and remembers what it was asked and what exists. It has units when
 * there is something in the script that can be done with them.
 */
export function scripted(script: Script, traits: Partial<Provisioner['traits']> = {}, name = 'scripted') {
  const asked: { deed: Deed; work: Work }[] = [];
  const perform = (deed: Deed) => async (work: Work) => {
    asked.push({ deed, work });
    return (await script[deed]?.(work)) ?? { done: {} };
  };
  const gone = (deed: Deed) => async (work: Work) => {
    const step = await perform(deed)(work);
    return 'again' in step ? step : { ...step, done: undefined };
  };
  const provisioner: Provisioner = {
    name,
    traits: { config: {}, roots: [], selfContained: false, ...traits },
    provision: perform('provision'),
    update: perform('update'),
    deprovision: gone('deprovision'),
    bind: perform('bind'),
    unbind: gone('unbind'),
    ...unitsOf(script, gone),
  };
  return {
    provisioner,
    asked,
    deeds: () => asked.map(({ deed }) => deed),
    /** With what it was about. */
    story: () => asked.map(({ deed, work }) => `${deed} ${work.plan.offeringName}`),
  };
}

function unitsOf(
  { inspect, exec, log, ...script }: Script,
  perform: (deed: Deed) => (work: Work) => Promise<Step<void>>,
): Pick<Provisioner, 'units'> {
  const able = operating.filter((deed) => script[deed]);
  if (able.length === 0 && !inspect && !exec && !log) return {};
  const control = Object.fromEntries(able.map((deed) => [deed, perform(deed)]));
  const others = { ...(exec && { exec }), ...(log && { log }) };
  return { units: { inspect: inspect ?? (async () => [running]), ...others, ...control } };
}

const running: UnitFacts = { unit: 'main', alive: true, answer: 'ready' };

export interface CoreInMemory {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly ports: Ports;
  readonly orphans: Orphans;
  readonly events: BrokerEvent[];
  /** Tells that a node is there and how it is: by its name, with a capacity of 10. */
  beat(profile: Partial<NodeProfile> & Pick<NodeProfile, 'name'>): Promise<void>;
  /** Moves the store's and the brokers' clock. */
  pass(ms: number): void;
  /** Milliseconds by which they were moved. */
  passed(): number;
  /** One more broker on the same store; `others` stand in for the rest of its context. */
  broker(
    settings?: Partial<Settings>,
    others?: Partial<BrokerContext>,
  ): { broker: Broker; work: OperationQueue; checks: UnitMonitor; lookAround: () => Promise<void> };
}

/**
 * A store with a clock that the test moves, and as many brokers on it as the test wants.
 * @param plans of one or several offerings, each made by the provisioner of its name, or by the only one
 */
export function coreInMemory(
  given: Provisioner | readonly Provisioner[],
  plans: readonly ServicePlan[] = [aPlan()],
): CoreInMemory {
  const provisioners = 'name' in given ? [given] : given;
  let offset = 0;
  const now = () => new Date(Date.now() + offset);
  const { store, nodes, ports, users, orphans } = memoryDatabase(now);
  const events: BrokerEvent[] = [];
  let brokers = 0;
  return {
    store,
    nodes,
    ports,
    orphans,
    events,
    async beat({ name, ...rest }) {
      const url = `http://${name}.example.com`;
      const profile = {
        name,
        host: `${name}.example.com`,
        url,
        directory: `/srv/${name}`,
        isolation: 'none' as const,
        allowsUnisolated: true,
        ...supply,
        ...rest,
      };
      if (!(await nodes.beat(profile, `holder of ${name}`, name))) throw new Error(`Another one is ${name}`);
    },
    pass: (ms) => void (offset += ms),
    passed: () => offset,
    broker(settings = {}, others = {}) {
      const made = createBroker({
        store,
        nodes,
        users,
        orphans,
        peer: () => ({ exec: unreachable, log: unreachable }),
        seals: { seal: (purpose, text) => `${purpose}.${text}`, open: () => undefined },
        hidden: () => [],
        inventories: () => provisioners,
        catalog: () => ({ offerings: offeringsOf(plans), loadedAt: now() }),
        revive: () => plans[0] ?? aPlan(),
        provisioner: (name) => provisionerNamed(provisioners, name),
        observe: (event) => void events.push(event),
        newId,
        newSecret: (length) => 's'.repeat(length - 1) + (brokers += 1),
        now,
        uptime: () => performance.now() + offset,
        settings: {
          url: 'https://broker.example.com',
          holder: `broker-${(brokers += 1)}`,
          asyncPatience: 50,
          syncPatience: 1000,
          lease: 3000,
          retention: 86_400_000,
          ...settings,
        },
        ...others,
      });
      store.listen((hint) => made.work.onHint(hint));
      return made;
    },
  };
}

const supply = { ports: { first: 20_000, last: 20_099 }, capacity: 10, executables: [] };

async function unreachable(): Promise<never> {
  throw new Refusal('unavailable', 'The node cannot be reached.');
}

function provisionerNamed(provisioners: readonly Provisioner[], name: string): Provisioner {
  const [first, ...others] = provisioners;
  const found = others.length > 0 ? provisioners.find((one) => one.name === name) : first;
  if (!found) throw new Error(`There is no provisioner '${name}'`);
  return found;
}

function offeringsOf(plans: readonly ServicePlan[]) {
  return [...Map.groupBy(plans, ({ offeringId }) => offeringId)].map(([id, own]) => anOffering(id, own));
}

function anOffering(id: string, plans: readonly ServicePlan[]) {
  return {
    id,
    name: plans[0]?.offeringName ?? id,
    description: `A ${plans[0]?.offeringName ?? id}`,
    tags: [],
    permissions: [],
    bindable: true,
    instancesRetrievable: true,
    bindingsRetrievable: true,
    allowContextUpdates: true,
    planUpdateable: true,
    plans,
  };
}

/** The clock of a broker on another machine: wrong by so many milliseconds, and going as that of the store does. */
export function wrongBy(ms: number, core: Pick<CoreInMemory, 'passed'>): Pick<BrokerContext, 'now'> {
  return { now: () => new Date(Date.now() + core.passed() + ms) };
}

/** A promise that the test ends when it wants. */
export function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}

/** Ends as a well-behaved step does when it is told to. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(new Error('told to end'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
}
