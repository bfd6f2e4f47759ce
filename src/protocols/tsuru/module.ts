import type { Pool } from 'pg';
import type { Broker } from '../../broker/broker.ts';
import type { FurtherLogins } from '../protocol.ts';
import { type LoginSettings, readLogins } from './logins.ts';
import { tsuruMigrations } from './migrations.ts';

interface TsuruParts {
  readonly config: LoginSettings & { readonly syncPatience: number };
  readonly broker: Broker;
  /** Throws Refusal unavailable until it is there. */
  readonly database: () => Pool;
  readonly url: () => string;
  readonly warn: (message: string) => void;
  readonly keptSecret: (file: string) => string;
  readonly accounts: {
    /** Platforms with names. */
    readonly named: FurtherLogins;
    readonly areNamed: boolean;
  };
}

/** The tsuru service API; undefined without a password for it. */
export const tsuruModule = {
  migrations: tsuruMigrations,
  async create({ config, broker, database, url, warn, keptSecret, accounts }: TsuruParts) {
    const logins = readLogins(config, keptSecret);
    if (!logins && !accounts.areNamed) return undefined;
    const { tsuru } = await import('./index.ts');
    const { postgresApps } = await import('./apps/postgres-apps.ts');
    return tsuru({
      broker,
      overview: broker.overview,
      apps: () => postgresApps(database()),
      patience: config.syncPatience,
      url,
      warn,
      logins: logins ?? { passwords: {} },
      further: accounts.named,
    });
  },
};
