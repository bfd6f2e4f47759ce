import type { Ports } from '../../../src/broker/nodes.ts';

/** A pool of one instance, which survives any broker: `main` has always this number. */
export function portsWith(port: number): Ports {
  return {
    take: async (_node, _instanceId, names) => Object.fromEntries(names.map((name) => [name, port])),
    replace: async () => undefined,
    release: async () => undefined,
  };
}
