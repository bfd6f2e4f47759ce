import type { Pool } from 'pg';
import type { Broker } from '../broker/broker.ts';
import type { Seals } from '../broker/context.ts';
import type { Offices } from '../broker/offices/index.ts';
import type { Store } from '../broker/store.ts';
import type { Readiness } from '../protocols/health/index.ts';
import type { Page } from '../protocols/metrics/index.ts';
import type { CountedStock } from '../telemetry/gauges.ts';
import type { DashboardPage, Login, Protocol } from '../protocols/protocol.ts';
import type { Config } from './config.ts';
import type { Accounts } from './principals/file.ts';
import { protocolModules, provisionerModules } from './shipped.ts';

/** What protocols are made from; each takes what it needs. What is called throws Refusal unavailable until it is there. */
export interface ProtocolParts {
  readonly config: Config;
  readonly broker: Broker;
  readonly offices: Offices;
  readonly store: () => Store;
  readonly seals: () => Seals;
  readonly database: () => Pool;
  /** The broker's own address, as platforms know it. */
  readonly url: () => string;
  readonly readiness: () => Promise<Readiness>;
  /** What has been counted so far. */
  readonly metricsPage: () => Promise<Page>;
  /** What there is, as it was counted last; undefined while the first count goes on. */
  readonly stock: () => Promise<CountedStock | undefined>;
  readonly platforms: readonly Login[];
  /** None: there is no operator API. */
  readonly operators: readonly Login[];
  /** Of PRINCIPALS_FILE, as it is now. */
  readonly accounts: Accounts;
  readonly warn: (message: string) => void;
  /** Of a file in the data directory, made once. */
  readonly keptSecret: (file: string) => string;
  /** By which provisioners show what they make. */
  readonly pages: readonly DashboardPage[];
}

/** All that is served; unknown paths are the first one's. */
export async function createProtocols(given: Omit<ProtocolParts, 'pages'>): Promise<readonly Protocol[]> {
  const withPages = provisionerModules.flatMap((one) => ('page' in one ? [one.page] : []));
  const parts = { ...given, pages: await Promise.all(withPages.map((one) => one.create(given))) };
  const ofProvisioners = provisionerModules.flatMap((one) => ('protocol' in one ? [one.protocol] : []));
  const made = await Promise.all([...protocolModules, ...ofProvisioners].map((one) => one.create(parts)));
  return made.filter((protocol) => protocol !== undefined);
}
