/** The one place that knows everyone: it puts the parts together, and takes them apart again. */
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { openFoundation, type Foundation } from './program/foundation.ts';
import type { Introduction } from './program/banner.ts';
import type { Catalog } from './broker/catalog.ts';
import type { BrokerEvent } from './broker/events.ts';
import type { Config } from './config.ts';
import { createServer, type Server } from './http/server.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Protocol } from './protocols/protocol.ts';
import { health } from './protocols/health/index.ts';
import { metrics } from './protocols/metrics/index.ts';
import { osb } from './protocols/osb/index.ts';
import { echoService } from './provisioners/echo/service.ts';
import { registry, shippedProvisioners } from './provisioners/index.ts';
import { readSecrets } from './program/secrets.ts';
import { openCurrentCatalog } from './program/current-catalog.ts';
import { createAvailability, type Availability } from './program/availability.ts';
import { standIn } from './program/stand-in.ts';
import { within } from './program/within.ts';

export interface Program {
  readonly introduction: Omit<Introduction, 'catalog' | 'database'>;
  catalog(): Catalog;
  /** Where the state is, in words, once requests are served. Rejects when that will never be. */
  readonly ready: Promise<string>;
  /** Reads the catalog again. */
  reload(): Promise<void>;
  /** Lets requests and work end for half of these milliseconds, then leaves them; gives whether all ended well. */
  close(withinMs: number): Promise<boolean>;
}

/**
 * Starts everything. Probes are answered at once, all else as soon as the database is there.
 * @throws Error when it cannot start at all: the catalog has errors, the port is taken
 */
export async function compose(config: Config, log: Log): Promise<Program> {
  const counts = createMetrics();
  const observe = (event: BrokerEvent) => {
    log.event(event);
    counts.event(event);
  };
  const provisioners = registry(shippedProvisioners({ faultyDirectory: join(config.dataDir, 'trial') }));
  const currentCatalog = await openCurrentCatalog(config.catalogDirs, provisioners.traits(), log);
  const secrets = readSecrets(config);
  const availability = createAvailability(
    config.externalDatabase ? 'it waits for its database' : 'its database is starting',
  );
  const server = createServer({
    protocols: [...protocols(config, availability, log), metrics(() => counts.page())],
    logins: secrets.logins,
    observe(access) {
      log.access(access);
      counts.access(access);
    },
    trustProxy: config.vcapApplication === undefined ? 0 : 1,
  });
  const address = await listen(server, config);
  log.note('debug', 'listening', { address });
  const publicUrl = config.publicUrl ?? address;
  const starting = new AbortController();
  const foundation = openFoundation({
    config,
    url: publicUrl,
    keys: secrets.keys,
    currentCatalog,
    provisioners,
    observe,
    note: (message) => log.note('info', message),
    signal: starting.signal,
  });
  return {
    introduction: { address, publicUrl, username: config.username, madePassword: secrets.madePassword },
    catalog: () => currentCatalog.catalog(),
    ready: foundation.then((opened) => {
      availability.open(opened);
      return opened.origin;
    }),
    reload: async () => (await foundation).reload(),
    async close(withinMs) {
      availability.close();
      starting.abort(new Error('The start was cancelled.'));
      return within(withinMs, endAll({ server, foundation, withinMs, observe }));
    },
  };
}

function protocols(
  { acceptMissingVersion }: Config,
  availability: Availability,
  log: Log,
): readonly Protocol[] {
  return [
    osb(
      standIn(() => availability.requireFoundation().broker),
      { acceptMissingVersion, warn: (message) => log.note('warn', message) },
    ),
    echoService({
      store: standIn(() => availability.requireFoundation().store),
      messages: standIn(() => availability.requireFoundation().messages),
    }),
    health(() => availability.readiness()),
  ];
}

/** Gives the address as others on this machine write it. */
async function listen(server: Server, { port, host }: Config): Promise<string> {
  try {
    const { port: taken } = await server.listen(port, host);
    const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
    return `http://${isIPv6(name) ? `[${name}]` : name}:${taken}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE')
      throw new Error(`Cannot listen on HOST ${host}, PORT ${port} (${code}).`, { cause: error });
    throw new Error(`Port ${port} is in use on ${host}. Set PORT to another one.`, { cause: error });
  }
}

interface Ending {
  readonly server: Server;
  readonly foundation: Promise<Foundation>;
  readonly withinMs: number;
  readonly observe: (event: BrokerEvent) => void;
}

/** Milliseconds for answering the requests whose work was handed over. */
const lastAnswers = 500;

/** Requests and work first, since they need what is closed after them. */
async function endAll({ server, foundation, withinMs, observe }: Ending): Promise<void> {
  const half = withinMs / 2;
  const opened = await foundation.catch(() => undefined);
  await Promise.all([server.drain(half), opened?.rest(half)]);
  try {
    await opened?.handOver();
    await server.drain(lastAnswers);
    await server.close();
    await opened?.close();
  } catch (error) {
    observe({ type: 'trouble', doing: 'closing the broker', detail: String(error) });
    throw error;
  }
}
