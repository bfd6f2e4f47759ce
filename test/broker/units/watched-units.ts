import type { ServicePlan } from '../../../src/broker/catalog.ts';
import type { UnitMonitor } from '../../../src/broker/units/monitor.ts';
import { Failure } from '../../../src/broker/errors.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { leftRunning, overLimit, type UnitFacts } from '../../../src/broker/units.ts';
import { aPlan, toProvision } from '../fixtures.ts';
import { coreInMemory, scripted, wrongBy } from '../core-in-memory.ts';

export const up: UnitFacts = { unit: 'redis', alive: true, answer: 'ready', pid: 7, address: 'h:1' };
export const dead: UnitFacts = { unit: 'redis', alive: false, answer: 'unasked', reason: 'it exited with 1' };
export const silent: UnitFacts = { ...up, answer: 'silent' };

interface State {
  facts: readonly UnitFacts[];
  /** Instead of the facts. */
  inspect?: (work: Work) => Promise<readonly UnitFacts[]>;
  /** What a bind waits for. */
  onBind?: () => Promise<unknown>;
  /** A restart ends in vain. */
  left?: boolean;
  /** A restart only ends it. */
  full?: boolean;
  /** What somebody does as soon as it is written down what was seen. */
  onSaved?: () => Promise<unknown>;
}

/** One instance `i1`, made, whose units are as the test says, and a broker, with a wrong clock, that looks at them. */
export async function watched(plan: ServicePlan = aPlan(), wrong = 0) {
  const state: State = { facts: [up] };
  const { provisioner, asked } = scripted({
    inspect: async (work) => (state.inspect ? state.inspect(work) : state.facts),
    start: () => ({ done: {} }),
    stop: () => ({ done: {} }),
    bind: async () => {
      await state.onBind?.();
      return { done: {} };
    },
    restart: () => {
      if (state.full) throw new Failure(overLimit, 'It takes too much.');
      if (state.left) throw new Failure(leftRunning, 'It did not end.');
      return { done: {} };
    },
  });
  const core = coreInMemory(provisioner, [plan]);
  const { store, events } = core;
  const { broker, work, checks } = core.broker(
    {},
    {
      ...wrongBy(wrong, core),
      store: {
        ...store,
        async saveSeen(...seen) {
          await store.saveSeen(...seen);
          await state.onSaved?.();
        },
      },
    },
  );
  await broker.provision(toProvision());
  return {
    store,
    events,
    pass: (ms: number) => core.pass(ms),
    state,
    broker,
    checks,
    work,
    restarts: () => asked.filter(({ deed }) => deed === 'restart').map((one) => one.work.units),
    asked,
    changes: () => events.flatMap((event) => (event.type === 'unit-changed' ? [event] : [])),
    seen: async () => (await store.findSeen('i1')) ?? { units: [], checkedAt: '' },
    healing: async () => (await store.findSeen('i1'))?.units[0]?.healing,
    /** Looks at all that is due, after so many milliseconds. */
    lookAfter: async (ms: number) => {
      core.pass(ms);
      await lookAtAll(checks);
    },
  };
}

export async function lookAtAll(checks: UnitMonitor): Promise<void> {
  for (;;) {
    const taken = await checks.take();
    if ('sleepMs' in taken) return;
    await taken.ended;
  }
}

export const origin = { protocol: 'test' };
export const toOperate = { instanceId: 'i1', origin, acceptsIncomplete: false };

/** Begins a look and does not wait for it. */
export async function begin(checks: UnitMonitor): Promise<{ ended: Promise<unknown> }> {
  const taken = await checks.take();
  if ('sleepMs' in taken) throw new Error('Nothing is due');
  return taken;
}
