import { setTimeout as pause } from 'node:timers/promises';
import {
  environmentOf,
  startBrokerProcess,
  type BrokerProcess,
  type Shared,
} from '../faults/broker-process.ts';
import type { Chance } from '../fuzz/random.ts';

/** Milliseconds for which a broker has what it works on. */
export const leaseMs = 4000;

/** The place of one broker, whatever process is there. */
export interface Slot {
  readonly name: string;
  readonly nodeDir: string;
  /** What a program is told that runs beside its broker. */
  environment(): Environment;
  /** Undefined while none runs there. */
  broker(): BrokerProcess | undefined;
  /** @param env for this once, beside what it has always */
  start(env?: Environment): Promise<void>;
  /** Waits for its end. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

interface SlotParts {
  readonly name: string;
  readonly nodeDir: string;
  readonly shared: Shared;
  /** As it is at each start. */
  readonly env: () => Environment;
}

export function createSlot({ name, nodeDir, shared, env }: SlotParts): Slot {
  let broker: BrokerProcess | undefined;
  return {
    name,
    nodeDir,
    environment: () => ({ ...environmentOf(name, shared), ...env() }),
    broker: () => broker,
    async start(once = {}) {
      // Where Postgres is just coming back, a broker may end instead of waiting; whoever runs it starts it again.
      for (let left = 4; broker === undefined; left--) {
        broker = await startBrokerProcess(name, shared, { ...env(), ...once }).catch((error: unknown) => {
          if (left > 0) return undefined;
          throw error;
        });
      }
    },
    async end(signal) {
      const ending = broker;
      broker = undefined;
      ending?.signal(signal);
      await ending?.ended;
    },
  };
}

interface Brokers {
  readonly slots: readonly Slot[];
}

/** What may happen to any brokers. */
export const brokerStrikes = {
  async 'a broker is killed'({ slots }: Brokers, chance: Chance) {
    const slot = chance.of(slots);
    await slot.end('SIGKILL');
    await pause(chance.below(2 * leaseMs));
    await slot.start();
  },
  async 'a broker stands still for longer than its lease'({ slots }: Brokers, chance: Chance) {
    const broker = chance.of(slots).broker();
    broker?.signal('SIGSTOP');
    await pause(leaseMs + 1000 + chance.below(3000));
    broker?.signal('SIGCONT');
  },
};
