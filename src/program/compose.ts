/** The one place that knows everyone: it puts the parts together, and takes them apart again. */
import { openRuntime, type Runtime } from './runtime.ts';
import type { InHand } from './last-resort.ts';
import type { Introduction } from './banner.ts';
import type { BrokerEvent } from '../broker/events.ts';
import type { Config } from './config.ts';
import { createServer, type HttpServer } from '../http/server.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Log } from '../telemetry/log.ts';
import { createMetrics, type Metrics, type Sources } from '../telemetry/metrics.ts';
import { forgottenAddress, requireDirectories } from './opening/directories.ts';
import { connectionLimit, listenOn, unprotectedListener } from './opening/listen.ts';
import { keptSecret, readSecrets, type Secrets, takenNames } from './opening/secrets.ts';
import { isStrict } from './tls/names.ts';
import { openTls, type ListenerTls } from './tls/listener-tls.ts';
import { type CurrentCatalog, openCurrentCatalog } from './current-catalog.ts';
import { createAvailability, type Availability } from './availability.ts';
import { lateBroker, lateOffices } from './late.ts';
import { type Accounts, openPrincipals } from './principals/file.ts';
import { createProtocols } from './protocols.ts';
import { shippedTraits } from './shipped.ts';
import { createStock } from '../telemetry/stock.ts';
import { createTracing } from '../telemetry/tracing.ts';
import { version } from './version.ts';
import { endsWithin } from '../broker/timing.ts';

/** What is known at the end of the start. */
type Found = 'offered' | 'database' | 'limits';

export interface BrokerProgram {
  readonly introduction: Omit<Introduction, Found>;
  /** Once requests are served: where the state is, what is on sale, what is kept. Rejects when that will never be. */
  readonly ready: Promise<Pick<Introduction, Found>>;
  /** Why it must end although nobody has asked for it. */
  readonly lost: Promise<Error>;
  /** What it is at work on now. */
  inHand(): InHand;
  /** Hands over at once what is in hand, and ends everything. */
  abandon(withinMs: number): Promise<boolean>;
  /** Reads the catalog, the certificate and PRINCIPALS_FILE again. */
  reload(): Promise<void>;
  /** Lets requests and work end for half of these milliseconds, then leaves them; gives whether all ended well. */
  close(withinMs: number): Promise<boolean>;
}

/**
 * Starts everything. Probes are answered at once, all else as soon as the database is there.
 * @param stop ends the start as long as there is nothing that would have to be closed
 * @throws Error when it cannot start at all: the catalog has errors, the port is taken
 */
export async function compose(config: Config, log: Log, stop?: AbortSignal): Promise<BrokerProgram> {
  const availability = createAvailability(waitingFor(config));
  const currentCatalog = await openCurrentCatalog(config, shippedTraits(), log);
  const takeStock = createStock(lateBroker(() => availability.requireFoundation().broker).overview);
  const counts = createMetrics({ takeStock, ...countedBy(availability, currentCatalog) });
  const observe = tellingBoth(log, counts);
  requireDirectories(config);
  tellForgotten(config, log);
  const secrets = readSecrets(config, (made) => log.hide(made));
  const tls = await openTls({ config, log, onServed: (one) => counts.certificate(one) });
  const accounts = await openPrincipals({ file: config.principalsFile, taken: takenNames(config), log });
  const parts = { config, secrets, availability, takeStock, counts, log, tls, accounts };
  const protocols = await protocolsOf(parts);
  const server = serverOf(parts, protocols);
  stop?.throwIfAborted();
  const { address, port } = await listenOn(server, config);
  log.note('debug', 'listening', { address });
  tls.follow(server, address);
  const publicUrl = config.publicUrl ?? address;
  const starting = new AbortController();
  const foundation = openRuntime({
    config,
    url: publicUrl,
    port,
    keys: secrets.keys,
    operator: secrets.operator?.login,
    currentCatalog,
    rounds: protocols.flatMap(({ round }) => round ?? []),
    log,
    observe,
    note: (message) => log.note('info', message),
    hide: (secrets) => log.hide(secrets),
    signal: starting.signal,
  });
  async function end(withinMs: number, times: Pick<Ending, 'half' | 'handOverMs'>): Promise<boolean> {
    availability.close();
    for (const one of [tls, accounts]) one.close();
    starting.abort(new Error('The start was cancelled.'));
    return endsWithin(withinMs, endAll({ server, foundation, observe, ...times }));
  }
  return {
    introduction: introductionOf(parts, { address, publicUrl, authority: tls.authority }),
    ready: foundation.then((found) => {
      availability.open(found);
      return { database: found.origin, offered: found.offered(), limits: found.limits };
    }),
    // One that never began cannot get lost: `ready` tells.
    lost: foundation.then(({ lost }) => lost).catch(() => never),
    async reload() {
      await Promise.all([tls.reload(), accounts.reload(), foundation.then((found) => found.reload())]);
    },
    close: (withinMs) => end(withinMs, { half: withinMs / 2, handOverMs: withinMs }),
    abandon: (withinMs) => end(withinMs, { half: 0, handOverMs: withinMs / 2 }),
    inHand: () => ({ requests: server.running(), operations: availability.found()?.inHand() ?? [] }),
  };
}

function tellingBoth(log: Log, counts: Metrics): (event: BrokerEvent) => void {
  return (event) => {
    log.event(event);
    counts.event(event);
  };
}

function waitingFor({ externalDatabase }: Config): string {
  return externalDatabase ? 'it waits for its database' : 'its database is starting';
}

function tellForgotten(config: Config, log: Log): void {
  for (const sentence of [forgottenAddress(config), unprotectedListener(config)])
    if (sentence !== undefined) log.note('warn', sentence);
}

interface Parts {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly availability: Availability;
  readonly counts: Metrics;
  readonly takeStock: NonNullable<Sources['takeStock']>;
  readonly log: Log;
  readonly tls: ListenerTls;
  readonly accounts: Accounts;
}

function serverOf(
  { config, secrets, availability, counts, log, tls, accounts }: Parts,
  protocols: readonly Protocol[],
): HttpServer {
  return createServer({
    protocols,
    logins: secrets.logins,
    further: accounts.platforms,
    observe(access) {
      log.access(access);
      counts.access(access);
    },
    trace: createTracing(version()).request,
    onWrongLogin: (tried) => availability.found()?.logins.refused(tried),
    trustProxy: config.trustProxy,
    tls: tls.pair,
    strictTransport: isStrict(config),
    maxConnections: connectionLimit(config),
    onTrouble: (error) => log.event({ type: 'trouble', doing: 'taking connections', detail: String(error) }),
  });
}

function protocolsOf({
  config,
  secrets,
  availability,
  counts,
  takeStock,
  log,
  accounts,
}: Parts): Promise<readonly Protocol[]> {
  const { requireFoundation, readiness } = availability;
  return createProtocols({
    config,
    broker: lateBroker(() => requireFoundation().broker),
    offices: lateOffices(() => requireFoundation().offices),
    store: () => requireFoundation().store,
    seals: () => requireFoundation().seals,
    database: () => requireFoundation().pool,
    url: () => requireFoundation().url,
    readiness,
    metricsPage: () => counts.page(),
    stock: takeStock,
    platforms: secrets.logins,
    operators: secrets.operator ? [secrets.operator.login] : [],
    accounts,
    warn: (message) => log.note('warn', message),
    keptSecret: (file) => keptSecret(config.dataDir, file, (made) => log.hide(made)),
  });
}

function countedBy(
  { found }: Availability,
  { catalog }: Pick<CurrentCatalog, 'catalog'>,
): Omit<Sources, 'takeStock'> {
  return {
    connections: () => found()?.pool,
    offeringName: (id) => catalog().offerings.find((offering) => offering.id === id)?.name,
    version: version(),
  };
}

const never = new Promise<never>(() => undefined);

type Named = Pick<Parts, 'config' | 'secrets' | 'accounts'>;

function introductionOf(
  { config: { username, node, nodeName }, secrets: { madePassword, operator }, accounts }: Named,
  reach: Pick<Introduction, 'address' | 'publicUrl' | 'authority'>,
): BrokerProgram['introduction'] {
  return {
    ...reach,
    username,
    madePassword,
    node: node ? nodeName : undefined,
    operator: operator
      ? { username: operator.login.username, file: operator.made?.file }
      : accounts.areNamed
        ? { username: 'as PRINCIPALS_FILE names them' }
        : undefined,
  };
}

interface Ending {
  readonly server: HttpServer;
  readonly foundation: Promise<Runtime>;
  /** Milliseconds that requests and work may go on. */
  readonly half: number;
  /** Milliseconds for steps to end that were told to. */
  readonly handOverMs: number;
  readonly observe: (event: BrokerEvent) => void;
}

/** Milliseconds for answering the requests whose work was handed over. */
const lastAnswers = 500;

/** Requests and work first, since they need what is closed after them. */
async function endAll({ server, foundation, half, handOverMs, observe }: Ending): Promise<void> {
  const opened = await foundation.catch(() => undefined);
  await Promise.all([server.drain(half), opened?.rest(half)]);
  try {
    await endsWithin(handOverMs, opened?.handOver() ?? Promise.resolve());
    await server.drain(lastAnswers);
    await server.close();
    await opened?.close();
  } catch (error) {
    observe({ type: 'trouble', doing: 'closing the broker', detail: String(error) });
    throw error;
  }
}
