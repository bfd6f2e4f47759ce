import type { Broker } from '../../src/broker/broker.ts';
import { createBroker } from '../../src/broker/broker.ts';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import type { Settings } from '../../src/broker/deps.ts';
import type { BrokerWork } from '../../src/broker/due-work.ts';
import type { BrokerEvent } from '../../src/broker/events.ts';
import type { Made, Provisioner, Step, Work } from '../../src/broker/provisioner.ts';
import type { Store } from '../../src/broker/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { aPlan, newId } from './fixtures.ts';

type Deed = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind';
type Script = Partial<Record<Deed, (work: Work) => Promise<Step<Made>> | Step<Made>>>;

/** A provisioner that does what a test tells it, and remembers what it was asked and what exists. */
export function scripted(script: Script, traits: Partial<Provisioner['traits']> = {}) {
  const asked: { deed: Deed; work: Work }[] = [];
  const perform = (deed: Deed) => async (work: Work) => {
    asked.push({ deed, work });
    return (await script[deed]?.(work)) ?? { done: {} };
  };
  const gone = (deed: Deed) => async (work: Work) => {
    const step = await perform(deed)(work);
    return 'again' in step ? step : { done: undefined };
  };
  const provisioner: Provisioner = {
    name: 'scripted',
    traits: { config: {}, roots: [], selfContained: false, ...traits },
    provision: perform('provision'),
    update: perform('update'),
    deprovision: gone('deprovision'),
    bind: perform('bind'),
    unbind: gone('unbind'),
  };
  return { provisioner, asked, deeds: () => asked.map(({ deed }) => deed) };
}

export interface World {
  readonly store: Store;
  readonly events: BrokerEvent[];
  /** Moves the store's and the brokers' clock. */
  pass(ms: number): void;
  /** One more broker on the same store. */
  broker(settings?: Partial<Settings>): { broker: Broker; work: BrokerWork };
}

/** A store with a clock that the test moves, and as many brokers on it as the test wants. */
export function aWorld(provisioner: Provisioner, plans: readonly ServicePlan[] = [aPlan()]): World {
  let offset = 0;
  const now = () => new Date(Date.now() + offset);
  const store = memoryStore(now);
  const events: BrokerEvent[] = [];
  let brokers = 0;
  return {
    store,
    events,
    pass: (ms) => void (offset += ms),
    broker(settings = {}) {
      const made = createBroker({
        store,
        catalog: () => ({ offerings: [anOffering(plans)], loadedAt: now() }),
        revive: () => plans[0] ?? aPlan(),
        provisioner: () => provisioner,
        observe: (event) => void events.push(event),
        newId,
        newSecret: (length) => 's'.repeat(length - 1) + (brokers += 1),
        now,
        settings: {
          url: 'https://broker.example.com',
          holder: `broker-${(brokers += 1)}`,
          asyncPatience: 50,
          syncPatience: 1000,
          lease: 3000,
          retention: 86_400_000,
          ...settings,
        },
      });
      store.listen((hint) => made.work.heed(hint));
      return made;
    },
  };
}

function anOffering(plans: readonly ServicePlan[]) {
  return {
    id: 'cache',
    name: 'cache',
    description: 'A cache',
    tags: [],
    requires: [],
    bindable: true,
    instancesRetrievable: true,
    bindingsRetrievable: true,
    allowContextUpdates: true,
    planUpdateable: true,
    plans,
  };
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
