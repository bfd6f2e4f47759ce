import type { Broker } from '../broker/broker.ts';
import type { Offices } from '../broker/offices/index.ts';

type Method = (...given: readonly unknown[]) => unknown;

/**
 * Stands for something that is not there yet, all of whose members are methods, so that it can be handed on already.
 * Each method finds the real one when it is called, or throws what `find` throws.
 */
function late<T extends object>(find: () => T, own: Partial<T> = {}): T {
  return new Proxy(own as T, {
    get(target, name) {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name) as unknown;
      return (...given: readonly unknown[]) => (Reflect.get(find(), name) as Method)(...given);
    },
  });
}

export function lateBroker(find: () => Broker): Broker {
  return late(find, { overview: late(() => find().overview) });
}

export function lateOffices(find: () => Offices): Offices {
  return {
    authorities: late(() => find().authorities),
    upgrades: late(() => find().upgrades),
    webhooks: late(() => find().webhooks),
  };
}
