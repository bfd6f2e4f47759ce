import type { PoolConfig } from 'pg';
import { openClient } from '../../postgres/connections.ts';
import type { DatabaseSettings } from './index.ts';
import { serverByDefault } from './shape.ts';

type Connection = Pick<PoolConfig, 'connectionString' | 'ssl'>;

export interface ServerSettings {
  readonly config: {
    readonly sharedServers: Readonly<Record<string, Connection>>;
    /** Where programs are looked for. */
    readonly path?: string | undefined;
  };
  /** The broker's own. */
  readonly database: {
    readonly connection: Connection;
    /** Is its server this program's own? */
    readonly embedded: boolean;
  };
}

/** Where nobody named a shared server, the one that is there anyway is it. */
export function databasesOf({ config, database }: ServerSettings): DatabaseSettings {
  const { connection, embedded } = database;
  const own = openClient(connection);
  const servers: Readonly<Record<string, Connection>> = {
    ...(embedded && { [serverByDefault]: connection }),
    ...config.sharedServers,
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
    path: config.path,
    ownDatabase: () => own.database,
  };
}
