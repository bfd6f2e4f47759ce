// What operators ask of runs of upgrades.
import { auditEntry, type AuditVerb } from '../../broker/audit.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import { tellEnd, type CommandSummary } from '../../broker/events.ts';
import { jsonOf } from '../../broker/json.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import type { Origin } from '../../broker/records.ts';
import type {
  ChangeUpgrades,
  StartUpgrades,
  UpgradeOffice,
  UpgradeRun,
  UpgradeRunState,
} from '../../broker/offices/upgrades.ts';
import type { StoredUpgrades } from './stored.ts';

export interface UpgradeOfficeParts {
  readonly runs: StoredUpgrades;
  readonly instances: OperatorView['instances'];
  readonly context: Pick<BrokerContext, 'observe' | 'newId' | 'settings'>;
  /** Somebody is to look at once what is due. */
  readonly wake: () => void;
}

export function createUpgradeOffice({ runs, instances, context, wake }: UpgradeOfficeParts): UpgradeOffice {
  const { observe, newId } = context;

  async function find(runId: string): Promise<UpgradeRun> {
    const run = await runs.find(runId);
    if (run) return run;
    throw new Refusal('not-found', 'There is no run of upgrades with this id, or it is forgotten already.');
  }

  /** Tells how it ended; `wake` last, so that whoever looks finds it. */
  async function telling(
    kind: UpgradeCommand,
    run: string,
    origin: Origin,
    carryOut: () => Promise<unknown>,
  ): Promise<UpgradeRun> {
    await tellEnd(observe, { origin, summary: () => ({ kind, run }) }, carryOut);
    wake();
    return find(run);
  }

  return {
    list: (limit) => runs.list(limit),
    find,
    items: (query) => runs.items(query),
    start(command) {
      const { query, origin, filter, canaries, atOnce, stopAfter, watchMs, approval } = command;
      const id = newId();
      const pace = { canaries, atOnce, stopAfter, watchMs, approval };
      return telling('start-upgrades', id, origin, async () => {
        const instanceIds = await driftedOf(instances, query);
        const audit = auditEntry(context, origin, {
          verb: 'start-upgrades',
          object: { kind: 'upgrades', id },
          after: jsonOf({ filter, ...pace, instances: instanceIds.length }),
          outcome: 'succeeded',
        });
        await runs.add({ id, filter, origin: whose(origin), ...pace, instanceIds, audit });
      });
    },
    change({ runId, change, origin }) {
      const verb = `${change}-upgrades` as const;
      return telling(verb, runId, origin, async () => {
        const { state } = await find(runId);
        const audit = auditEntry(context, origin, {
          verb,
          object: { kind: 'upgrades', id: runId },
          before: { state },
          outcome: 'succeeded',
        });
        if (await runs[change](runId, audit)) return;
        // Said again, or overtaken by the end.
        const now = await find(runId);
        if (!as[change].includes(now.state))
          throw new Refusal('conflict', `The run of upgrades is ${now.state}: ${cannot[change]}.`);
      });
    },
  };
}

type UpgradeCommand = Extract<CommandSummary['kind'] & AuditVerb, `${string}-upgrades`>;

/** In which a change has been made already. */
const as: Readonly<Record<ChangeUpgrades['change'], readonly UpgradeRunState[]>> = {
  pause: ['paused'],
  resume: ['running'],
  cancel: ['cancelling', 'cancelled'],
};

const cannot: Readonly<Record<ChangeUpgrades['change'], string>> = {
  pause: 'only one that is running can be paused',
  resume: 'only one that is paused can be resumed',
  cancel: 'only one that has not ended can be cancelled',
};

function whose({ protocol, principal, requestId }: Origin): UpgradeRun['origin'] {
  return { protocol, principal, requestId };
}

const pageSize = 1000;

/** Of those that can be upgraded: what was never finished, or goes, has nothing to upgrade. */
async function driftedOf(
  instances: OperatorView['instances'],
  query: StartUpgrades['query'],
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await instances({ ...query, drifted: true, after, limit: pageSize });
    ids.push(...page.filter(({ instance }) => instance.ready).map(({ instance }) => instance.id));
    after = page.at(-1)?.instance.id;
    if (page.length < pageSize) return ids;
  }
}
