// Runs of upgrades: what operators see of them, start and change.
import { Refusal } from '../../../broker/errors.ts';
import type { OfferingEntry, OperatorView } from '../../../broker/operator-view.ts';
import {
  type ChangeUpgrades,
  type StartUpgrades,
  type UpgradeItem,
  type UpgradeItemsQuery,
  upgradeItemStates,
  type UpgradeOffice,
  type UpgradeRun,
} from '../../../broker/offices/upgrades.ts';
import type { Call, Handler } from '../../protocol.ts';
import { readListQuery } from '../list-queries.ts';
import { ok } from '../replies.ts';
import { originOf, readNumber, readText, readWord } from '../requests.ts';
import { requireNoBody, requireUpgradesBody } from '../shapes.ts';
import type {
  UpgradeDetailsAnswer,
  UpgradeItemAnswer,
  UpgradeRunAnswer,
  UpgradeRunsAnswer,
} from '../wire/upgrades.ts';
import type { upgradeRoutes } from './routes.ts';

export function upgradeEndpoints(
  office: UpgradeOffice,
  overview: OperatorView,
): Readonly<Record<keyof typeof upgradeRoutes, Handler>> {
  const change = (kind: ChangeUpgrades['change']) => async (call: Call) => {
    requireNoBody(call.body ?? {});
    const command = { runId: requireRun(call), change: kind, origin: originOf(call) };
    return ok<UpgradeRunAnswer>(runReply(await office.change(command)));
  };
  return {
    async upgrades({ query }) {
      const runs = await office.list(readNumber(query, 'limit', 100, 1000));
      return ok<UpgradeRunsAnswer>({ upgrades: runs.map(runReply) });
    },
    async 'upgrades show'(call) {
      const asked = readItemsQuery(call);
      const [run, items] = await Promise.all([office.find(asked.runId), office.items(asked)]);
      const last = items.length === asked.limit ? items.at(-1)?.position : undefined;
      return ok<UpgradeDetailsAnswer>({
        ...runReply(run),
        items: items.map((item) => itemReply(run, item)),
        next: last === undefined ? undefined : String(last),
      });
    },
    'upgrades start': async (call) => ({
      status: 202,
      body: runReply(await office.start(readStart(call, overview.offerings()))) satisfies UpgradeRunAnswer,
    }),
    'upgrades pause': change('pause'),
    'upgrades resume': change('resume'),
    'upgrades cancel': change('cancel'),
  };
}

function requireRun({ params: { run = '' } }: Call): string {
  if (/^[\w-]{1,100}$/.test(run)) return run;
  throw new Refusal('not-found', 'There is no run of upgrades with this id, or it is forgotten already.');
}

function readItemsQuery(call: Call): UpgradeItemsQuery {
  const { query } = call;
  const after = readText(query, 'after');
  if (after !== undefined && !/^\d{1,9}$/.test(after))
    throw new Refusal('invalid', 'after is not the next of any page.', 'after');
  return {
    runId: requireRun(call),
    state: readWord(query, 'state', upgradeItemStates),
    after: after === undefined ? undefined : Number(after),
    limit: readNumber(query, 'limit', 100, 1000),
  };
}

/** @param offerings what is named must be among them: nothing else can be upgraded, and a slip would upgrade nothing */
export function readStart(call: Call, offerings: readonly OfferingEntry[]): StartUpgrades {
  const {
    canaries = 0,
    at_once,
    stop_after,
    watch,
    approve = false,
    ...named
  } = requireUpgradesBody(call.body ?? {});
  const filter = Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ) as Readonly<Record<string, string>>;
  const {
    after: _after,
    limit: _limit,
    drifted: _drifted,
    status: _status,
    ...query
  } = readListQuery({ ...call, query: new URLSearchParams(filter) }, offerings);
  requireKnown(query, offerings);
  return {
    query,
    filter,
    canaries,
    atOnce: at_once ?? 1,
    stopAfter: stop_after ?? 1,
    watchMs: watch ?? 30_000,
    approval: approve,
    origin: originOf(call),
  };
}

function requireKnown(
  { offeringId, planIds }: StartUpgrades['query'],
  offerings: readonly OfferingEntry[],
): void {
  const own = offerings.filter(({ offering }) => offeringId === undefined || offering.id === offeringId);
  if (own.length === 0)
    throw new Refusal('invalid', 'offering is the name of none in the catalog.', 'offering');
  const plans = own.flatMap(({ offering }) => offering.plans);
  if (planIds && !plans.some(({ id }) => planIds.includes(id)))
    throw new Refusal('invalid', 'plan is the name of none in the catalog.', 'plan');
}

function runReply(run: UpgradeRun): UpgradeRunAnswer {
  return {
    id: run.id,
    state: run.state,
    reason: run.reason,
    filter: run.filter,
    canaries: run.canaries,
    at_once: run.atOnce,
    stop_after: run.stopAfter,
    watch: run.watchMs,
    approve: run.approval,
    canaries_passed: run.passed || run.canaries === 0,
    instances: run.counts,
    principal: run.origin.principal,
    request: run.origin.requestId,
    holder: run.holder,
    created_at: run.createdAt.toISOString(),
    finished_at: run.finishedAt?.toISOString(),
  };
}

function itemReply({ canaries }: UpgradeRun, item: UpgradeItem): UpgradeItemAnswer {
  const { position, instanceId, state, operationId, reason } = item;
  return { instance_id: instanceId, canary: position <= canaries, state, operation_id: operationId, reason };
}
