import type { Core } from './core.ts';
import type { Hint } from './store.ts';
import { expire } from './unbind.ts';

/** The side of the core that a worker drives. */
export interface BrokerWork {
  /** Takes up one due operation, or says how long there is nothing to do; `ended` never rejects. */
  take(): Promise<{ readonly ended: Promise<unknown> } | { readonly sleepMs: number }>;
  /** Takes one turn and waits for it: for tests and one-shot programs. Milliseconds until there is more. */
  tick(): Promise<number>;
  /** To be called with every hint of the store. */
  heed(hint: Hint): void;
  handOver(): Promise<void>;
}

/** Milliseconds after which a broker looks by itself, whether or not it heard a hint. */
const longestSleep = 1000;
/** Milliseconds between two clearings of the history. */
const pruneEvery = 3_600_000;
/** Bindings revoked in one turn. */
const expireAtOnce = 10;

export function createWork(core: Core): BrokerWork {
  const { engine, deps } = core;
  let nextPrune = 0;

  async function take() {
    const taken = await engine.take();
    if (taken) return taken;
    await prune();
    const due = (await deps.store.nextDue()) ?? longestSleep;
    if (due <= 0) await expireDue();
    return { sleepMs: Math.min(Math.max(due, 0), longestSleep) };
  }

  async function prune(): Promise<void> {
    if (deps.now().getTime() < nextPrune) return;
    nextPrune = deps.now().getTime() + pruneEvery;
    await deps.store.prune(deps.settings.retention);
  }

  async function expireDue(): Promise<void> {
    for (const binding of await deps.store.expired(expireAtOnce)) {
      deps.observe({ type: 'binding-expired', instanceId: binding.instanceId, bindingId: binding.id });
      await expire(core, binding);
    }
  }

  return {
    take,
    async tick() {
      const taken = await take();
      if ('sleepMs' in taken) return taken.sleepMs;
      await taken.ended;
      return 0;
    },
    heed: (hint) => engine.heed(hint),
    handOver: () => engine.handOver(),
  };
}
