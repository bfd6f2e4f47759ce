import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { BrokerEvent, ByEvent, OperationSummary } from '../broker/events.ts';
import { stockGauges, type CountedStock } from './gauges.ts';
import type { AccessEntry } from '../http/access-log.ts';

export interface Metrics {
  event(event: BrokerEvent): void;
  access(access: AccessEntry): void;
  /** The certificate that is served. */
  certificate(served: { readonly validToDate: Date }): void;
  /** Everything counted so far, in the text format of Prometheus. */
  page(): Promise<{ readonly bytes: Uint8Array; readonly type: string }>;
}

/** What is looked at when somebody asks. */
export interface Sources {
  /** Counts what there is; undefined when that is not known. */
  readonly takeStock?: () => Promise<CountedStock | undefined>;
  /** Undefined while there is no database. */
  readonly connections?: () => PoolUse | undefined;
  /** By its name, as far as the catalog knows it. */
  readonly offeringName?: (id: string) => string | undefined;
  readonly version?: string;
}

/** Connections of this broker to its database, as `pg` counts them. */
export interface PoolUse {
  readonly totalCount: number;
  readonly idleCount: number;
  /** Who waits for one. */
  readonly waitingCount: number;
}

/**
 * Counts what it is told of. Labels take few values, whatever is sent: route patterns and never paths, kinds, results
 * and offerings of the catalog, and never ids of instances.
 */
export function createMetrics({
  takeStock = nothing,
  connections = () => undefined,
  offeringName = () => undefined,
  version = 'unknown',
}: Sources = {}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  showBuild(registry, version);
  const show = stockGauges(registry);
  const showConnections = connectionGauges(registry);
  return {
    event: eventCounters(registry, (id) => offeringName(id) ?? 'none'),
    access: requestTimer(registry),
    certificate: expiryGauge(registry),
    async page() {
      showConnections(connections());
      show(await takeStock().catch(() => undefined));
      return { bytes: new TextEncoder().encode(await registry.metrics()), type: registry.contentType };
    },
  };
}

async function nothing(): Promise<undefined> {}

function showBuild(registry: Registry, version: string): void {
  const build = new Gauge({
    name: 'purveyor_build_info',
    help: 'What runs: always 1.',
    labelNames: ['version', 'node'],
    registers: [registry],
  });
  build.set({ version, node: process.version }, 1);
}

function connectionGauges(registry: Registry): (counted: PoolUse | undefined) => void {
  const open = new Gauge({
    name: 'purveyor_database_connections',
    help: 'Connections of this broker to its database: idle or used.',
    labelNames: ['state'],
    registers: [registry],
  });
  const waiting = new Gauge({
    name: 'purveyor_database_connections_wanted',
    help: 'How many wait for a connection of this broker to its database.',
    registers: [registry],
  });
  return (counted) => {
    open.reset();
    waiting.set(counted?.waitingCount ?? 0);
    if (!counted) return;
    open.set({ state: 'idle' }, counted.idleCount);
    open.set({ state: 'used' }, counted.totalCount - counted.idleCount);
  };
}

/** Shown only where there is a certificate. */
function expiryGauge(registry: Registry): Metrics['certificate'] {
  let gauge: Gauge | undefined;
  return ({ validToDate }) => {
    gauge ??= new Gauge({
      name: 'purveyor_tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of what is listened on expires, in seconds since 1970.',
      registers: [registry],
    });
    gauge.set(Math.floor(validToDate.getTime() / 1000));
  };
}

function requestTimer(registry: Registry): (access: AccessEntry) => void {
  const seconds = new Histogram({
    name: 'purveyor_request_duration_seconds',
    help: 'Requests answered and the time they took.',
    labelNames: ['protocol', 'method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers: [registry],
  });
  return ({ protocol, method, route, status, ms }) => {
    const labels = {
      protocol,
      method: knownMethod(method),
      route: route ?? 'none',
      status: statusClass(status),
    };
    seconds.observe(labels, ms / 1000);
  };
}

type NameOf = (id: string) => string;

function eventCounters(registry: Registry, offeringOf: NameOf): (event: BrokerEvent) => void {
  const counters = {
    ...operationCounters(registry, offeringOf),
    ...otherCounters(registry),
  } satisfies ByEvent<void>;
  // Each row takes the events of its own type.
  return (event) => (counters[event.type] as (event: BrokerEvent) => void)(event);
}

type Told = ByEvent<void>;

function operationCounters(registry: Registry, offeringOf: NameOf) {
  const opened = counter(registry, 'operations_opened', 'Operations that were begun.');
  const timer = operationTimer(registry, offeringOf);
  const failedSteps = counter(registry, 'steps_failed', 'Steps of operations that failed.');
  const retries = counter(registry, 'steps_retried', 'Failed steps that are tried again.');
  const lost = counter(registry, 'operations_lost', 'Operations whose lease another broker took over.');
  const cancelled = counter(registry, 'operations_cancelled', 'Operations cancelled by another one.');
  const restarts = counter(registry, 'heals', 'Restarts of units that had failed.', []);
  return {
    'operation-opened': ({ operation }) => {
      if (operation.origin.protocol === 'monitor') restarts.inc();
      opened.inc(kindOf(operation));
    },
    'operation-claimed': uncounted,
    'operation-settled': ({ operation, ms }) => timer(operation, ms),
    'operation-cancelled': ({ operation }) => cancelled.inc(kindOf(operation)),
    'operation-lost': ({ operation }) => lost.inc(kindOf(operation)),
    'step-failed': ({ operation, retryMs }) => {
      failedSteps.inc(kindOf(operation));
      if (retryMs !== undefined) retries.inc(kindOf(operation));
    },
    'undo-started': uncounted,
  } satisfies Partial<Told>;
}

function otherCounters(registry: Registry) {
  const commands = counter(registry, 'commands', 'Commands that are no operations.', ['command', 'result']);
  const expired = counter(registry, 'bindings_expired', 'Bindings revoked because their time was over.', []);
  const units = counter(registry, 'unit_changes', 'Changes of the status of units.', ['to']);
  const leftAlone = counter(registry, 'left_alone', 'Units that failed again after their restarts.', []);
  const orphans = counter(registry, 'orphans_removed', 'Things without an instance that were removed.', []);
  const upgrades = counter(registry, 'upgrade_runs', 'Runs of upgrades that ended or paused.', ['state']);
  const webhooks = counter(registry, 'webhooks', 'Messages told to receivers, or tried to.', [
    'receiver',
    'result',
  ]);
  const unreadable = counter(registry, 'unreadable_records', 'Records that could not be read.', ['table']);
  const trouble = counter(registry, 'troubles', 'Things that went wrong outside any operation.', []);
  return {
    'command-ended': ({ command, failure }) =>
      commands.inc({ command: command.kind, result: failure ? 'failed' : 'succeeded' }),
    'binding-expired': () => expired.inc(),
    'unit-changed': ({ to }) => units.inc({ to }),
    'limit-near': uncounted,
    'left-alone': () => leftAlone.inc(),
    'upgrades-changed': ({ state }) => upgrades.inc({ state }),
    'webhook-tried': ({ receiver, result }) => webhooks.inc({ receiver, result }),
    'orphan-suspected': uncounted,
    'orphan-removed': () => orphans.inc(),
    unreadable: ({ table }) => unreadable.inc({ table }),
    trouble: () => trouble.inc(),
  } satisfies Partial<Told>;
}

/** What the counts of what there is show already, or what an event that follows counts. */
function uncounted(): void {}

function operationTimer(
  registry: Registry,
  offeringOf: NameOf,
): (operation: OperationSummary, ms: number) => void {
  const seconds = new Histogram({
    name: 'purveyor_operation_duration_seconds',
    help: 'Operations that ended and the time from their begin.',
    labelNames: ['kind', 'offering', 'result'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 1800, 7200, 86_400],
    registers: [registry],
  });
  return ({ kind, offeringId, state }, ms) =>
    seconds.observe({ kind, offering: offeringOf(offeringId), result: state }, ms / 1000);
}

function counter(registry: Registry, name: string, help: string, labelNames = ['kind']): Counter {
  return new Counter({ name: `purveyor_${name}_total`, help, labelNames, registers: [registry] });
}

function kindOf({ kind }: OperationSummary): { kind: string } {
  return { kind };
}

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

const methods = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS']);

function knownMethod(method: string): string {
  return methods.has(method) ? method : 'other';
}
