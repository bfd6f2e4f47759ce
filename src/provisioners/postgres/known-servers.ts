import type { ServicePlan } from '../../broker/catalog.ts';
import type { Server } from './servers.ts';
import { misconfigured, serverByDefault, serverNameOf } from './shape.ts';

/** Finds a server by the name of the variable that holds its administrator's address. */
export type FindServer = (name: string) => Server | undefined;

export interface KnownServers {
  readonly find: FindServer;
  /** The server of a plan; throws Failure when there is none. */
  require(plan: ServicePlan): Server;
  /** All that offerings have named and that there are. */
  all(): readonly Server[];
}

/** Offerings name servers; those that were named are remembered, for the inventory. */
export function createKnownServers(findServer: FindServer): KnownServers {
  const names = new Set([serverByDefault]);
  function find(name: string): Server | undefined {
    names.add(name);
    return findServer(name);
  }
  return {
    find,
    require({ making }) {
      const name = serverNameOf(making.config);
      const server = find(name);
      if (!server) throw misconfigured(`${name} is not set.`);
      return server;
    },
    all() {
      const found = [...names].map((name) => findServer(name)).filter((server) => server !== undefined);
      return [...new Map(found.map((server) => [server.url, server])).values()];
    },
  };
}
