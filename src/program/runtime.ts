// The parts that compose.ts puts together: what is needed to start, to be ready and to stop.
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createBroker, type Broker } from '../broker/broker.ts';
import type { BrokerContext, Seals } from '../broker/context.ts';
import type { OperationSummary } from '../broker/events.ts';
import type { Nodes } from '../broker/nodes.ts';
import type { Offices } from '../broker/offices/index.ts';
import type { OnSale } from '../broker/on-sale.ts';
import type { Store } from '../broker/store.ts';
import { revivePlan } from '../catalog/compile.ts';
import type { Login } from '../protocols/protocol.ts';
import type { Registry } from '../provisioners/index.ts';
import { createClosing, type Closing } from './closing.ts';
import { postgresAuthorities } from './authority/stored.ts';
import { openBackups } from './opening/open-backups.ts';
import { openCredhub } from './opening/open-credhub.ts';
import { openOffices } from './opening/open-offices.ts';
import { openProvisioners } from './opening/open-provisioners.ts';
import { plansOf, type CurrentCatalog } from './current-catalog.ts';
import { openStore, patiently, type StoreOpening } from './opening/open-store.ts';
import { concernsTeller } from './concerns.ts';
import { hiddenLine } from './hidden-line.ts';
import { openNodeRole, type NodeRole } from './opening/node-role.ts';
import { openOffer, type Offer } from './offer.ts';
import { createPeers } from '../protocols/operator/peers.ts';
import { newSecret } from './opening/random.ts';
import { keyHolder, settingsOf } from './opening/settings.ts';
import { followCatalog, saveDeclared } from './audit/catalog-changes.ts';
import { createLoginAudit, type LoginAudit } from './audit/failed-logins.ts';
import { startUpkeep, type UpkeepParts } from './loops/upkeep.ts';
import { openQuotas, type Quotas } from './quotas/file.ts';
import { createSeals } from '../stores/seals.ts';
import type { KeyState } from '../stores/postgres/keys.ts';
import { postgresNodes } from '../stores/postgres/nodes.ts';
import { postgresOrphans } from '../stores/postgres/orphans.ts';
import { postgresUsers } from '../stores/postgres/users.ts';
import { describeLimits } from '../system/limits/open-limits.ts';
import { createTracing } from '../telemetry/tracing.ts';
import { version } from './version.ts';

/** What stands behind the protocols: all that needs the database. */
export interface Runtime {
  readonly broker: Broker;
  readonly offices: Offices;
  /** The broker's own address, as platforms know it. */
  readonly url: string;
  readonly store: Store;
  readonly seals: Seals;
  readonly pool: Pool;
  /** Where the state is, in words fit for a log. */
  readonly origin: string;
  /** What keeps the limits of instances, in words; absent: this broker is no node. */
  readonly limits?: string;
  /** What is on sale now, and what is not. */
  offered(): OnSale;
  /** The reason, when this broker can be a node no longer and must end. */
  readonly lost: Promise<Error>;
  /** How it is with the encryption keys, of this broker and of the others. */
  keys(): KeyState;
  reload(): Promise<void>;
  /** Takes up no more work and waits for what runs, at most this many milliseconds. */
  rest(withinMs: number): Promise<void>;
  /** Ends what still runs and leaves it to other brokers. */
  handOver(): Promise<void>;
  /** What runs here now. */
  inHand(): readonly OperationSummary[];
  /** Is to be told of logins that are refused. */
  readonly logins: LoginAudit;
  /** Lets go of the node, whose programs go on, and of the database. */
  close(): Promise<void>;
}

export interface RuntimeParts extends StoreOpening {
  readonly url: string;
  /** That this broker listens on. */
  readonly port: number;
  /** What operators log in with at every broker. */
  readonly operator?: Login | undefined;
  readonly currentCatalog: CurrentCatalog;
  /** As of the upkeep. */
  readonly rounds: UpkeepParts['rounds'];
}

/** Ends when everything works: the tables are there, the plans are stored, the workers run. */
export async function openRuntime(parts: RuntimeParts): Promise<Runtime> {
  const closing = createClosing();
  try {
    return await open(parts, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function open(parts: RuntimeParts, closing: Closing): Promise<Runtime> {
  const { config, currentCatalog } = parts;
  const settings = settingsOf(config, parts.url);
  const { database, store, keys, save } = await openStore(parts, keyHolder(settings), closing);
  await saveDeclared(currentCatalog, { newId: randomUUID, settings }, save);
  await tellDrift(parts, store);
  const nodes = postgresNodes(database.pool);
  const { role, ...ofRole } = await openRole(parts, nodes, settings.holder);
  closing.add(() => role?.close());
  const authorities = postgresAuthorities(database.pool, () => keys.ring());
  const provisioners = await openProvisioners({ config, database, node: role?.node, authorities });
  closing.add(() => provisioners.close());
  const tellOfNode = concernsTeller(parts, role && provisioners);
  const offer = await patiently(parts, () => offerOf(parts, nodes, provisioners));
  closing.add(() => offer.stop());
  const quotas = await openQuotas(parts);
  closing.add(async () => quotas.close());
  const parted = { store, nodes, pool: database.pool, offer, provisioners, settings, quotas };
  const core = depsOf(parts, { ...parted, seals: createSeals(() => keys.ring()) });
  const { broker, ...driven } = createBroker(core);
  const asked = await openOffices(parts, core, { pool: database.pool, broker, authorities });
  const upkeep = upkeepOf(parts, core, { ...driven, others: asked.workers });
  closing.add(() => upkeep.close());
  const watch = followCatalog(currentCatalog, core, async (plans) => {
    await save(plans);
    await role?.lookFor(plans);
    await offer.refresh();
    tellOfNode(plans);
  });
  for (const end of [() => watch.close(), () => tellWhatGoesOn(parts, nodes, role)]) closing.add(end);
  return {
    broker,
    offices: asked.offices,
    url: parts.url,
    store,
    seals: core.seals,
    pool: database.pool,
    origin: database.origin,
    offered: () => offer.current(),
    ...ofRole,
    keys: () => keys.state(),
    reload: () =>
      Promise.all([watch, quotas, asked].map((one) => one.reload())).then(() => void offer.current()),
    rest: (withinMs) => upkeep.rest(withinMs),
    handOver: () => driven.work.handOver(),
    inHand: () => driven.work.inHand(),
    logins: createLoginAudit(core, closing),
    close: () => closing.close(),
  };
}

function upkeepOf(
  { config: { workers, checks: lookers }, observe, rounds }: RuntimeParts,
  { store }: BrokerContext,
  driven: Pick<UpkeepParts, 'work' | 'checks' | 'lookAround' | 'others'>,
): ReturnType<typeof startUpkeep> {
  return startUpkeep({ ...driven, rounds, store, workers, lookers, observe });
}

interface Behind extends Pick<BrokerContext, 'store' | 'nodes' | 'settings' | 'seals'> {
  readonly quotas: Quotas;
  readonly pool: Pool;
  readonly offer: Offer;
  readonly provisioners: Registry;
}

function depsOf(
  { config, operator, observe }: RuntimeParts,
  { offer, provisioners, pool, quotas, ...rest }: Behind,
): BrokerContext {
  const credentialStore = openCredhub(config);
  return {
    ...rest,
    credentialStore,
    quotas: quotas.present,
    users: postgresUsers(pool),
    orphans: postgresOrphans(pool),
    backups: openBackups(config),
    peer: createPeers(operator),
    catalog: () => offer.current().catalog,
    hidden: () => offer.current().hidden,
    revive: revivePlan,
    provisioner: (name) => provisioners.get(name),
    inventories: () => (credentialStore ? [...provisioners.all, credentialStore] : provisioners.all),
    observe,
    tracing: createTracing(version()),
    newId: randomUUID,
    newSecret,
    now: () => new Date(),
    uptime: () => performance.now(),
  };
}

async function openRole(
  parts: RuntimeParts,
  nodes: Nodes,
  holder: string,
): Promise<Pick<Runtime, 'lost' | 'limits'> & { role?: NodeRole }> {
  const { config, port, currentCatalog, note, observe, signal } = parts;
  const { promise: lost, resolve } = Promise.withResolvers<Error>();
  if (!config.node) return { lost };
  const doing = 'telling other brokers that this node is there';
  const role = await patiently(parts, () =>
    openNodeRole({
      config,
      port,
      nodes,
      holder,
      plans: plansOf(currentCatalog.catalog()),
      note,
      onTrouble: (error) => observe({ type: 'trouble', doing, detail: String(error) }),
      onLost: () => resolve(new Error(`Another broker has become the node '${config.nodeName}'.`)),
      signal,
    }),
  );
  return { role, lost, limits: role.node.keeper && describeLimits(role.node.keeper) };
}

function offerOf({ config, currentCatalog, log }: RuntimeParts, nodes: Nodes, registry: Registry) {
  return openOffer({
    declared: () => currentCatalog.catalog(),
    nodes,
    provisioner: (name) => registry.get(name),
    onHidden: (hidden, isFirst) => {
      // What is hidden from the start stands in the banner.
      if (isFirst && config.logFormat === 'text') return;
      const [only, ...more] = hidden;
      if (only && more.length === 0)
        log.note('warn', 'offering hidden', { offering: only.offering.name, reason: only.reason });
      else log.note('info', 'offerings hidden', { reason: hiddenLine(hidden) });
    },
    onShown: (name) => log.note('info', 'offering on sale', { offering: name }),
  });
}

/** A stop ends the broker, not what it has made. */
async function tellWhatGoesOn({ log }: RuntimeParts, nodes: Nodes, role?: NodeRole): Promise<void> {
  if (!role) return;
  const { name } = role.node;
  const own = (await nodes.list().catch(() => [])).find((node) => node.name === name);
  if (own && own.instances > 0)
    log.note('info', 'what runs on this node goes on', { node: name, instances: own.instances });
}

/** What was changed while no broker ran. */
async function tellDrift(parts: RuntimeParts, store: Store): Promise<void> {
  const older = await patiently(parts, () => store.countDrifted(plansOf(parts.currentCatalog.catalog())));
  if (older > 0)
    parts.log.note('info', 'instances run an older revision of their plans', { instances: older });
}
