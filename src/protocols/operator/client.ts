import { exchange, type OperatorQuery, type Question, type Reach, type Unanswered } from './exchange.ts';
import type { AuditAnswer } from './wire/audit.ts';
import type { AuthoritiesAnswer, AuthorityAnswer, AuthorityBody } from './wire/authorities.ts';
import type {
  ActionAnswer,
  ForceDeleteAnswer,
  ListedOperationAnswer,
  OperationsAnswer,
  PurgeAnswer,
} from './wire/operations.ts';
import type {
  UpgradeDetailsAnswer,
  UpgradeRunAnswer,
  UpgradeRunsAnswer,
  UpgradesBody,
} from './wire/upgrades.ts';
import type {
  DeadWebhooksAnswer,
  ReceiversAnswer,
  RetriedWebhooksAnswer,
  RetryWebhooksBody,
} from './wire/webhooks.ts';
import type { ActionBody, ExecAnswer, ExecBody, LogAnswer, OrphanBody } from './wire/units.ts';
import type { DashboardLinkAnswer, LinkBody } from './wire/dashboards.ts';
import type { BackupMadeAnswer, BackupsAnswer, RestoreBody } from './wire/backups.ts';
import type { BindingsAnswer, InstanceDetailsAnswer, InstancesAnswer } from './wire/instances.ts';
import type {
  MissingAnswer,
  NodeAnswer,
  NodesAnswer,
  OfferingsAnswer,
  OrphansAnswer,
  QuotasAnswer,
} from './wire/broker.ts';

/** The operator API of a broker, for commands and for other brokers; each method throws what `errorOf` makes. */
export interface OperatorClient {
  nodes(): Promise<NodesAnswer>;
  node(name: string): Promise<NodeAnswer>;
  changeNode(name: string, change: 'drain' | 'undrain' | 'forget' | 'abandon'): Promise<object>;
  offerings(): Promise<OfferingsAnswer>;
  quotas(): Promise<QuotasAnswer>;
  /** One page of them, by `after`, `limit` and the filters of the API. */
  instances(query: OperatorQuery): Promise<InstancesAnswer>;
  instance(id: string): Promise<InstanceDetailsAnswer>;
  /** The same of operations. */
  operations(query: OperatorQuery): Promise<OperationsAnswer>;
  /** The same of bindings. */
  bindings(query: OperatorQuery): Promise<BindingsAnswer>;
  operation(id: string): Promise<ListedOperationAnswer>;
  /** The same of backups. */
  backups(query: OperatorQuery): Promise<BackupsAnswer>;
  /** @param id of the instance */
  createBackup(id: string): Promise<BackupMadeAnswer>;
  restoreBackup(id: string, body: RestoreBody): Promise<ActionAnswer>;
  deleteBackup(id: string): Promise<object>;
  repair(id: string, verb: 'retry' | 'cancel'): Promise<ActionAnswer>;
  act(id: string, action: InstanceAction, body?: ActionBody): Promise<ActionAnswer>;
  adopt(id: string, body: object): Promise<ActionAnswer>;
  /** What the offering of the instance declares. */
  askFor(
    id: string,
    action: string,
    body: { readonly parameters?: object | undefined },
  ): Promise<ActionAnswer>;
  dashboardLink(id: string, body: LinkBody): Promise<DashboardLinkAnswer>;
  /** @param confirm the id once more */
  removeInstance(id: string, confirm: string): Promise<ActionAnswer>;
  /** The same of these two. */
  purgeInstance(id: string, confirm: string): Promise<PurgeAnswer>;
  forceDelete(id: string, confirm: string): Promise<ForceDeleteAnswer>;
  /** @param confirm the id of the binding once more */
  purgeBinding(id: string, bindingId: string, confirm: string): Promise<PurgeAnswer>;
  removeBinding(id: string, bindingId: string): Promise<ActionAnswer>;
  exec(id: string, body: ExecBody): Promise<ExecAnswer>;
  /** `unit`, `lines`. */
  log(id: string, query: OperatorQuery): Promise<LogAnswer>;
  missing(): Promise<MissingAnswer>;
  orphans(): Promise<OrphansAnswer>;
  removeOrphan(body: OrphanBody): Promise<object>;
  authorities(): Promise<AuthoritiesAnswer>;
  renewAuthority(generation: number, body: AuthorityBody): Promise<AuthorityAnswer>;
  /** `limit`. */
  upgrades(query: OperatorQuery): Promise<UpgradeRunsAnswer>;
  /** With one page of its instances: `state`, `after`, `limit`. */
  upgradeRun(id: string, query: OperatorQuery): Promise<UpgradeDetailsAnswer>;
  startUpgrades(body: UpgradesBody): Promise<UpgradeRunAnswer>;
  changeUpgrades(id: string, change: 'pause' | 'resume' | 'cancel'): Promise<UpgradeRunAnswer>;
  webhooks(): Promise<ReceiversAnswer>;
  /** `limit`. */
  deadWebhooks(receiver: string, query: OperatorQuery): Promise<DeadWebhooksAnswer>;
  retryWebhooks(receiver: string, body: RetryWebhooksBody): Promise<RetriedWebhooksAnswer>;
  /** One page of it, by the filters of `GET /operator/audit`. */
  audit(query: OperatorQuery): Promise<AuditAnswer>;
  /** The OpenAPI document of all this. */
  openapi(): Promise<object>;
}

export type InstanceAction =
  'start' | 'stop' | 'restart' | 'recreate' | 'upgrade' | 'protect' | 'unprotect' | 'undelete';

export interface ClientSettings extends Reach {
  /** Of a broker that passes on what only the node itself can do. */
  readonly passingOn?: PassingOn;
  readonly errorOf: (unanswered: Unanswered) => Error;
}

interface PassingOn {
  /** That must be at the address: another broker refuses. */
  readonly node: string;
  /** Of the request that asked first, so that logs can be joined. */
  readonly requestId?: string | undefined;
}

export function operatorClient(settings: ClientSettings): OperatorClient {
  const { passingOn: { node, requestId } = {} } = settings;
  const passed = { node, passed_on: node && 'true' };
  const headers = requestId === undefined ? undefined : { 'x-vcap-request-id': requestId };
  const ask = <Answer>(question: Question) =>
    exchange<Answer>(settings, { headers, ...question }, settings.errorOf);
  const get = <Answer>(path: string, query?: OperatorQuery) => ask<Answer>({ method: 'GET', path, query });
  const post = <Answer>(path: string, body?: object, query?: OperatorQuery) =>
    ask<Answer>({ method: 'POST', path, body, query });
  return {
    nodes: () => get('/operator/nodes'),
    node: (name) => get(`/operator/nodes/${encodeURIComponent(name)}`),
    changeNode: (name, change) => post(`/operator/nodes/${encodeURIComponent(name)}/${change}`),
    offerings: () => get('/operator/offerings'),
    quotas: () => get('/operator/quotas'),
    instances: (query) => get('/operator/instances', query),
    instance: (id) => get(pathOf(id), queryOf(id)),
    operations: (query) => get('/operator/operations', query),
    bindings: (query) => get('/operator/bindings', query),
    operation: (id) => get(`/operator/operations/${encodeURIComponent(id)}`),
    ...backupCalls(ask),
    repair: (id, verb) => post(`/operator/operations/${encodeURIComponent(id)}/${verb}`, {}),
    ...actionCalls(ask),
    dashboardLink: (id, body) => post(`${pathOf(id)}/dashboard-link`, body, queryOf(id)),
    removeInstance: (id, confirm) =>
      ask({ method: 'DELETE', path: pathOf(id), query: { ...queryOf(id), confirm } }),
    purgeInstance: (id, confirm) => post(`${pathOf(id)}/actions/purge`, {}, { ...queryOf(id), confirm }),
    forceDelete: (id, confirm) => post(`${pathOf(id)}/actions/force-delete`, {}, { ...queryOf(id), confirm }),
    purgeBinding: (id, bindingId, confirm) =>
      post(
        `${pathOf(id)}/bindings/${partOf(bindingId)}/actions/purge`,
        {},
        { ...queryOf(id), binding_id: folded(bindingId), confirm },
      ),
    removeBinding: (id, bindingId) =>
      ask({
        method: 'DELETE',
        path: `${pathOf(id)}/bindings/${partOf(bindingId)}`,
        query: { ...queryOf(id), binding_id: folded(bindingId) },
      }),
    exec: (id, body) => post(`${pathOf(id)}/exec`, body, { ...passed, ...queryOf(id) }),
    log: (id, query) => get(`${pathOf(id)}/log`, { ...query, ...passed, ...queryOf(id) }),
    ...lostCalls(ask),
    ...authorityCalls(ask),
    ...upgradeCalls(ask),
    ...webhookCalls(ask),
    audit: (query) => get('/operator/audit', query),
    openapi: () => get('/operator/openapi.json'),
  };
}

type Ask = <Answer>(question: Question) => Promise<Answer>;

function actionCalls(ask: Ask): Pick<OperatorClient, 'act' | 'askFor' | 'adopt'> {
  const act = <Answer>(id: string, action: string, body: object = {}) => {
    const path = `${pathOf(id)}/actions/${encodeURIComponent(action)}`;
    return ask<Answer>({ method: 'POST', path, body, query: queryOf(id) });
  };
  const adopt = <Answer>(id: string, body: object) =>
    ask<Answer>({ method: 'POST', path: `${pathOf(id)}/adopt`, body, query: queryOf(id) });
  return { act, askFor: act, adopt };
}

function authorityCalls(ask: Ask): Pick<OperatorClient, 'authorities' | 'renewAuthority'> {
  return {
    authorities: () => ask({ method: 'GET', path: '/operator/authorities' }),
    renewAuthority: (generation, body) =>
      ask({ method: 'PUT', path: `/operator/authorities/${generation}`, body }),
  };
}

function webhookCalls(ask: Ask): Pick<OperatorClient, 'webhooks' | 'deadWebhooks' | 'retryWebhooks'> {
  const pathTo = (receiver: string) => `/operator/webhooks/${encodeURIComponent(receiver)}`;
  return {
    webhooks: () => ask({ method: 'GET', path: '/operator/webhooks' }),
    deadWebhooks: (receiver, query) => ask({ method: 'GET', path: `${pathTo(receiver)}/dead`, query }),
    retryWebhooks: (receiver, body) => ask({ method: 'POST', path: `${pathTo(receiver)}/retry`, body }),
  };
}

function upgradeCalls(
  ask: Ask,
): Pick<OperatorClient, 'upgrades' | 'upgradeRun' | 'startUpgrades' | 'changeUpgrades'> {
  const pathTo = (id: string) => `/operator/upgrades/${encodeURIComponent(id)}`;
  return {
    upgrades: (query) => ask({ method: 'GET', path: '/operator/upgrades', query }),
    upgradeRun: (id, query) => ask({ method: 'GET', path: pathTo(id), query }),
    startUpgrades: (body) => ask({ method: 'POST', path: '/operator/upgrades', body }),
    changeUpgrades: (id, change) => ask({ method: 'POST', path: `${pathTo(id)}/${change}`, body: {} }),
  };
}

function lostCalls(ask: Ask): Pick<OperatorClient, 'missing' | 'orphans' | 'removeOrphan'> {
  return {
    missing: () => ask({ method: 'GET', path: '/operator/missing' }),
    orphans: () => ask({ method: 'GET', path: '/operator/orphans' }),
    removeOrphan: (body) => ask({ method: 'POST', path: '/operator/orphans/remove', body }),
  };
}

function backupCalls(
  ask: Ask,
): Pick<OperatorClient, 'backups' | 'createBackup' | 'restoreBackup' | 'deleteBackup'> {
  const backup = (id: string) => `/operator/backups/${encodeURIComponent(id)}`;
  return {
    backups: (query) => ask({ method: 'GET', path: '/operator/backups', query }),
    createBackup: (id) =>
      ask({ method: 'POST', path: `${pathOf(id)}/backups`, body: {}, query: queryOf(id) }),
    restoreBackup: (id, body) => ask({ method: 'POST', path: `${backup(id)}/restore`, body }),
    deleteBackup: (id) => ask({ method: 'DELETE', path: backup(id) }),
  };
}

function pathOf(id: string): string {
  return `/operator/instances/${partOf(id)}`;
}

function queryOf(id: string): OperatorQuery {
  return { instance_id: folded(id) };
}

/** An id of dots is said in the query, where nobody on the way folds it. */
function partOf(id: string): string {
  return folded(id) === undefined ? encodeURIComponent(id) : '-';
}

function folded(id: string): string | undefined {
  return id === '.' || id === '..' ? id : undefined;
}
