import { Refusal } from '../../broker/errors.ts';
import type { Broker } from '../../broker/broker.ts';
import type { Node } from '../../broker/nodes.ts';
import type { Offices } from '../../broker/offices/index.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import type { Call, Handler, Reply } from '../protocol.ts';
import {
  readAction,
  readBindingRemoval,
  readInstanceRemoval,
  readDrain,
  readExec,
  readForget,
  readLog,
  readOrphanRemoval,
  readWhole,
  requireInstanceId,
  requireNode,
} from './requests.ts';
import { acted, ok } from './replies.ts';
import { actionEndpoints, type Actor } from './actions/act.ts';
import { adoptEndpoints, type Adopter } from './adopt/adopt.ts';
import { auditEndpoint } from './audit.ts';
import { authorityEndpoints } from './authorities.ts';
import { type BackupKeeper, backupEndpoints } from './backups/endpoints.ts';
import { dashboardEndpoints, type DashboardLinker } from './dashboards/link.ts';
import { type Repaired, repairEndpoints } from './repair.ts';
import { openApiDocument } from './document.ts';
import { upgradeEndpoints } from './upgrades/endpoints.ts';
import { webhookEndpoints } from './webhooks/endpoints.ts';
import { operatorRoutes, type OperatorVerb } from './routes.ts';
import { readListQuery, readOperationsQuery } from './list-queries.ts';
import {
  detailsReply,
  instanceReply,
  nodeReply,
  offeringReply,
  listedOperationReply,
  orphanReply,
  quotaReply,
} from './responses.ts';
import type { OperationsAnswer } from './wire/operations.ts';
import type { ExecAnswer, LogAnswer } from './wire/units.ts';
import type { InstanceDetailsAnswer, InstancesAnswer } from './wire/instances.ts';
import type { NodeAnswer, NodesAnswer, OfferingsAnswer, OrphansAnswer, QuotasAnswer } from './wire/broker.ts';

/** What operators may do with instances. */
export type Operated = Repaired &
  Actor &
  Adopter &
  BackupKeeper &
  DashboardLinker &
  Pick<
    Broker,
    | 'start'
    | 'stop'
    | 'restart'
    | 'recreate'
    | 'upgrade'
    | 'removeBinding'
    | 'removeInstance'
    | 'exec'
    | 'log'
  >;

export interface Here {
  readonly offices: Offices;
  /** The node that this broker is. */
  readonly node?: string | undefined;
}

/** One handler for each thing that an operator can ask. */
export function endpoints(
  broker: Operated,
  overview: OperatorView,
  { offices: { authorities, upgrades, webhooks }, node: here }: Here,
): Readonly<Record<OperatorVerb, Handler>> {
  const document = openApiDocument(operatorRoutes);
  return {
    nodes: async () => ok<NodesAnswer>({ nodes: (await overview.nodes()).map(nodeReply) }),
    'nodes show': async (call) => ok<NodeAnswer>(nodeReply(await findNode(call, overview))),
    'nodes drain': async (call) => changed(overview.drain(readDrain(call, true))),
    'nodes undrain': async (call) => changed(overview.drain(readDrain(call, false))),
    'nodes forget': async (call) => changed(overview.forget(readForget(call, false))),
    'nodes abandon': async (call) => changed(overview.forget(readForget(call, true))),
    offerings: () => ok<OfferingsAnswer>({ offerings: overview.offerings().map(offeringReply) }),
    quotas: async () => ok<QuotasAnswer>({ quotas: (await overview.quotas()).map(quotaReply) }),
    instances: (call) => listInstances(call, overview),
    'instances show': async (call) =>
      ok<InstanceDetailsAnswer>(detailsReply(await overview.instance(requireInstanceId(call)))),
    operations: (call) => listOperations(call, overview),
    'instances start': async (call) => acted(await broker.start(readAction(call))),
    'instances stop': async (call) => acted(await broker.stop(readAction(call))),
    'instances restart': async (call) => acted(await broker.restart(readAction(call))),
    'instances recreate': async (call) => acted(await broker.recreate(readWhole(call))),
    'instances upgrade': async (call) => acted(await broker.upgrade(readWhole(call))),
    'instances unbind': async (call) => acted(await broker.removeBinding(readBindingRemoval(call))),
    'instances delete': async (call) => acted(await broker.removeInstance(readInstanceRemoval(call))),
    ...actionEndpoints(broker),
    ...adoptEndpoints(broker),
    ...backupEndpoints(broker, overview),
    ...dashboardEndpoints(broker),
    ...repairEndpoints(broker, overview),
    async 'instances exec'(call) {
      requireHere(call, here);
      return ok<ExecAnswer>({ results: await broker.exec(readExec(call)) });
    },
    async 'instances log'(call) {
      requireHere(call, here);
      return ok<LogAnswer>({ units: await broker.log(readLog(call)) });
    },
    orphans: async () => ok<OrphansAnswer>({ orphans: (await overview.orphans()).map(orphanReply) }),
    'orphans remove': async (call) => changed(overview.removeOrphan(readOrphanRemoval(call)), 202),
    audit: auditEndpoint(overview),
    ...authorityEndpoints(authorities),
    ...upgradeEndpoints(upgrades, overview),
    ...webhookEndpoints(webhooks),
    openapi: () => ok(document),
  };
}

async function findNode(call: Call, overview: OperatorView): Promise<Node> {
  const name = requireNode(call);
  const found = (await overview.nodes()).find((node) => node.name === name);
  if (found) return found;
  throw new Refusal('not-found', `There is no node '${name}'.`);
}

/** At most `limit` instances; `next` is the `after` of the page that follows. */
async function listInstances(call: Call, overview: OperatorView): Promise<Reply> {
  const page = await overview.instancePage(readListQuery(call, overview.offerings()));
  return ok<InstancesAnswer>({ instances: page.entries.map(instanceReply), next: page.next });
}

/** The same of operations. */
async function listOperations(call: Call, overview: OperatorView): Promise<Reply> {
  const page = await overview.operations(readOperationsQuery(call, overview.offerings()));
  return ok<OperationsAnswer>({ operations: page.operations.map(listedOperationReply), next: page.next });
}

/** Another broker asks for what only the node itself can do; passed on once more it could go round for ever. */
function requireHere({ query }: Call, here: string | undefined): void {
  const asked = query.get('node');
  if (asked === null || asked === here) return;
  throw new Refusal('unavailable', `The broker at this address is not the node '${asked.slice(0, 100)}'.`);
}

async function changed(change: Promise<void>, status = 200): Promise<Reply> {
  await change;
  return { status, body: {} };
}
