import type { Core } from './core.ts';
import { Failure, Refusal } from './errors.ts';
import { decideRemedy, type Patient, type Remedy, sayLeftAlone } from './heal.ts';
import { controlOf, type Hanging, lookAt } from './look.ts';
import { operate } from './operate.ts';
import type { ServiceInstance } from './records.ts';
import { type Check, longestSleep } from './store.ts';
import type { Healing, Seen, UnitSeen, UnitStatus } from './units.ts';

/** The side of the core that looks at what runs, driven by a worker of its own. */
export interface Checks {
  /** Looks at one instance that is due, or says how long there is none; `ended` never rejects. */
  take(): Promise<{ readonly ended: Promise<unknown> } | { readonly sleepMs: number }>;
}

/** Milliseconds between two questions while others are just taking what is due. */
const shortestSleep = 20;

export function createChecks(core: Core): Checks {
  const { deps } = core;
  const looking = new Set<string>();
  const hanging: Hanging = new Set();

  async function check(due: Check): Promise<void> {
    const { id } = due.instance;
    // It takes longer than the time between two looks: the look that goes on will tell.
    if (looking.has(id)) return;
    looking.add(id);
    try {
      await examine(core, due, hanging);
    } catch (error) {
      deps.observe({ type: 'trouble', doing: `looking at instance ${id}`, detail: String(error) });
    } finally {
      looking.delete(id);
    }
  }

  return {
    async take() {
      const due = await deps.store.claimCheck(deps.settings.node);
      if (due) return { ended: check(due) };
      const next = (await deps.store.nextCheck(deps.settings.node)) ?? longestSleep;
      return { sleepMs: Math.min(Math.max(next, shortestSleep), longestSleep) };
    },
  };
}

/** One look, what is remembered of it, what is told, and what is done about it. */
async function examine(core: Core, { instance, seen }: Check, hanging: Hanging): Promise<void> {
  const { deps } = core;
  const look = await lookAt(core, { instance, ...(seen ? { seen } : {}) }, hanging);
  const changes = changesIn(look.units, seen);
  // What was seen while somebody stopped or changed it means nothing.
  if (changes.length > 0 && !(await isUntouched(core, instance))) return;
  const { remedy, units } = await findRemedy(core, instance, look.units, seen?.healing);
  const { healing } = remedy;
  // Before the restart: one that is counted and not begun does less harm than one that is never counted.
  await deps.store.saveSeen(
    instance.id,
    {
      units,
      checkedAt: deps.now().toISOString(),
      version: instance.version,
      ...(healing ? { healing } : {}),
    },
    remedy.dueMs,
  );
  tell(core, instance.id, changes, look.trouble);
  if (healing?.leftAlone && !seen?.healing?.leftAlone)
    deps.observe({ type: 'left-alone', instanceId: instance.id, restarts: healing.restarts.length });
  if (remedy.restart.length > 0) await restart(core, instance, remedy.restart);
}

interface Changed {
  readonly unit: UnitSeen;
  readonly from?: UnitStatus;
}

function changesIn(units: readonly UnitSeen[], seen: Seen | undefined): readonly Changed[] {
  return units
    .map((unit) => ({ unit, from: seen?.units.find((one) => one.unit === unit.unit)?.status }))
    .filter(({ unit, from }) => unit.status !== from)
    .map(({ unit, from }) => ({ unit, ...(from ? { from } : {}) }));
}

async function isUntouched({ deps }: Core, { id, version }: ServiceInstance): Promise<boolean> {
  const found = await deps.store.findInstance(id);
  return found !== undefined && !found.operation && found.instance.version === version;
}

async function findRemedy(
  core: Core,
  instance: ServiceInstance,
  units: readonly UnitSeen[],
  healing: Healing | undefined,
): Promise<{ remedy: Remedy; units: readonly UnitSeen[] }> {
  const isWell = units.every(({ status }) => status !== 'error') && !healing;
  const known = isWell ? undefined : await controlOf(core, instance).catch(() => undefined);
  // Of an unknown plan nobody can say what is allowed.
  if (!known) return { remedy: { restart: [], ...(healing ? { healing } : {}) }, units };
  const { plan, units: control } = known;
  const remedy = decideRemedy({
    monitor: plan.operating.monitor,
    units,
    ...(healing ? { healing } : {}),
    untouchable: instance.stopped === true || !control?.restart,
    ...(await findTending(core, instance.id, healing)),
    now: core.deps.now(),
  });
  return { remedy, units: sayLeftAlone(units, remedy.healing, plan.operating.monitor) };
}

/** Of the latest operations of an instance so many are looked through for one by which people tended to it. */
const historyLength = 20;

/** Has anybody but the broker started, restarted or changed it since it was left alone? */
async function findTending(
  { deps }: Core,
  instanceId: string,
  healing: Healing | undefined,
): Promise<Pick<Patient, 'tended' | 'latest'>> {
  const operations = await deps.store.history(instanceId, historyLength);
  const ended = operations.filter(({ bindingId, finishedAt }) => bindingId === undefined && finishedAt);
  const known = ended.findIndex(({ id }) => id === healing?.after);
  const since = known < 0 ? ended : ended.slice(0, known);
  const tended = since.some(
    ({ kind, origin }) =>
      (kind === 'start' || kind === 'restart' || kind === 'update') && origin.protocol !== monitor.protocol,
  );
  const [latest] = ended;
  return { tended: healing?.leftAlone === true && tended, ...(latest ? { latest: latest.id } : {}) };
}

/** Who asks for what the broker does by itself. */
const monitor = { protocol: 'monitor' };

/** As an operation, like any other; not when somebody has begun one, or changed the instance, since the look. */
async function restart(core: Core, instance: ServiceInstance, units: readonly string[]): Promise<void> {
  const { id: instanceId, version } = instance;
  const command = { instanceId, version, units, acceptsIncomplete: true, origin: monitor };
  try {
    await operate(core, command, 'restart');
  } catch (error) {
    // How an operation ended is told where it ends.
    if (error instanceof Failure || (error instanceof Refusal && error.code === 'busy')) return;
    throw error;
  }
}

function tell({ deps }: Core, instanceId: string, changes: readonly Changed[], trouble?: string): void {
  for (const {
    unit: { unit, status: to, reason },
    from,
  } of changes)
    deps.observe({ type: 'unit-changed', instanceId, unit, ...(from ? { from } : {}), to, reason });
  if (changes.length > 0 && trouble !== undefined)
    deps.observe({ type: 'trouble', doing: `looking at instance ${instanceId}`, detail: trouble });
}
