import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { openClient } from '../../postgres/connections.ts';
import { registry, shippedProvisioners, type Registry } from '../../provisioners/index.ts';
import type { DatabaseSettings } from '../../provisioners/postgres/index.ts';
import { standardServer } from '../../provisioners/postgres/options.ts';
import { postgresPorts } from '../../stores/postgres/ports.ts';
import type { OpenDatabase } from './open-database.ts';

export interface ProvisionersOpening {
  readonly config: Config;
  readonly database: OpenDatabase;
  /** Absent: this broker is no node. What is local is then known here, but never made. */
  readonly node?: LocalNode | undefined;
}

/** All ways of making things, with what they need of this machine and of the servers that are known. */
export function openProvisioners({ config, database, node }: ProvisionersOpening): Registry {
  return registry(
    shippedProvisioners({
      faultyDirectory: join(config.dataDir, 'trial'),
      catalogDirs: config.catalogDirs,
      databases: databasesOf(config, database),
      node,
      ports: node && postgresPorts(database.pool),
    }),
  );
}

/** Where nobody named a shared server, the one that is there anyway is it. */
function databasesOf({ sharedServers }: Config, { connection, embedded }: OpenDatabase): DatabaseSettings {
  const own = openClient(connection);
  const servers: Config['sharedServers'] = {
    ...(embedded && { [standardServer]: connection }),
    ...sharedServers,
  };
  return {
    servers(name) {
      const server = Object.hasOwn(servers, name) ? servers[name] : undefined;
      if (server?.connectionString === undefined) return undefined;
      return {
        url: server.connectionString,
        ssl: server.ssl,
        // We come by a socket, which applications may not be able to reach.
        ...(server === connection && { host: '127.0.0.1', port: own.port }),
      };
    },
    ownDatabase: () => own.database,
  };
}
