import type { RequestContext } from '../requests/context.ts';
import { Failure, Refusal } from '../errors.ts';
import {
  decideRestart,
  type RestartSituation,
  type RestartDecision,
  sayLeftAlone,
} from './restart-policy.ts';
import { controlOf, type Hanging, inspectInstance } from './inspect.ts';
import { startStop } from '../requests/start-stop.ts';
import type { Operation, ServiceInstance } from '../records.ts';
import type { UnitCheck } from '../store.ts';
import { longestSleep } from '../timing.ts';
import {
  type RestartRecord,
  leftRunning,
  overLimit,
  type Seen,
  type UnitSeen,
  type UnitStatus,
} from '../units.ts';

/** The side of the core that looks at what runs, driven by a worker of its own. */
export interface UnitMonitor {
  /** Looks at one instance that is due, or says how long there is none; `ended` never rejects. */
  take(): Promise<{ readonly ended: Promise<unknown> } | { readonly sleepMs: number }>;
}

/** Milliseconds between two questions while others are just taking what is due. */
const shortestSleep = 20;

export function createUnitMonitor(core: RequestContext): UnitMonitor {
  const looking = new Set<string>();
  const hanging: Hanging = new Set();

  async function check(due: UnitCheck): Promise<void> {
    const { id } = due.instance;
    // It takes longer than the time between two looks: the look that goes on will tell.
    if (looking.has(id)) return;
    looking.add(id);
    try {
      await examine(core, due, hanging);
    } catch (error) {
      tellTrouble(core, id, String(error));
    } finally {
      looking.delete(id);
    }
  }

  return {
    async take() {
      const due = await core.store.claimUnitCheck(core.settings.node);
      if (due) return { ended: check(due) };
      const next = (await core.store.nextUnitCheck(core.settings.node)) ?? longestSleep;
      return { sleepMs: Math.min(Math.max(next, shortestSleep), longestSleep) };
    },
  };
}

/** One look, what is remembered of it, what is told, and what is done about it. */
async function examine(core: RequestContext, { instance, seen }: UnitCheck, hanging: Hanging): Promise<void> {
  const look = await inspectInstance(core, { instance, seen }, hanging);
  // Nothing has been seen: the next look tells.
  if (look.isBlind) return tellTrouble(core, instance.id, look.trouble);
  const changes = changesIn(look.units, seen);
  // What was seen while somebody stopped or changed it means nothing.
  if (changes.length > 0 && !(await isUntouched(core, instance))) return;
  const treated = await treat(core, instance, look.units);
  const dues = treated.flatMap(({ remedy: { dueMs } }) => dueMs ?? []);
  const save = (units: readonly UnitSeen[], dueMs: number | undefined) =>
    core.store.saveSeen(
      instance.id,
      { units, checkedAt: core.now().toISOString(), version: instance.version },
      dueMs,
    );
  // Before the restart: one that is counted and not begun does less harm than one that is never counted.
  await save(
    treated.map(({ unit }) => unit),
    dues.length > 0 ? Math.min(...dues) : undefined,
  );
  tell(core, instance.id, changes, look.trouble);
  tellWarnings(core, instance.id, look.units, seen);
  tellLeftAlone(core, instance.id, treated);
  if (treated.every(({ remedy }) => !remedy.restart) || (await restart(core, instance, treated))) return;
  // Somebody else does something with it: nothing was tried, and nothing counts.
  await save(treated.map(postponed), tryAgainAfter);
}

/** Milliseconds until it is tried again to restart what could not be restarted while something else went on. */
const tryAgainAfter = 1000;

interface Changed {
  readonly unit: UnitSeen;
  readonly from?: UnitStatus;
}

function changesIn(units: readonly UnitSeen[], seen: Seen | undefined): readonly Changed[] {
  return units
    .map((unit) => ({ unit, from: seen?.units.find((one) => one.unit === unit.unit)?.status }))
    .filter(({ unit, from }) => unit.status !== from)
    .map(({ unit, from }) => ({ unit, from }));
}

async function isUntouched(core: RequestContext, { id, version }: ServiceInstance): Promise<boolean> {
  const found = await core.books.findInstance(id);
  return found !== undefined && !found.operation && found.instance.version === version;
}

/** A unit as it is remembered, and what is to be done about it. */
interface Treated {
  readonly unit: UnitSeen;
  readonly remedy: RestartDecision;
  readonly before?: RestartRecord;
}

async function treat(
  core: RequestContext,
  instance: ServiceInstance,
  units: readonly UnitSeen[],
): Promise<readonly Treated[]> {
  const isWell = units.every(({ symptom, healing }) => symptom === undefined && !healing);
  const known = isWell ? undefined : await controlOf(core, instance).catch(() => undefined);
  // Of an unknown plan nobody can say what is allowed.
  if (!known) return units.map((unit) => ({ unit, remedy: {} }));
  const { monitor } = known.plan.operating;
  const untouchable = instance.stopped === true || !known.units?.restart;
  const history = await core.store.history(instance.id, historyLength);
  return units.map(({ healing: before, ...unit }) => {
    const remedy = decideRestart({
      monitor,
      unit,
      healing: before,
      untouchable,
      ...readTending(history, before),
      now: core.now(),
    });
    const { healing } = remedy;
    const said = sayLeftAlone({ ...unit, healing }, monitor);
    return { unit: said, remedy, before };
  });
}

/** Of the latest operations of an instance so many are looked through for one by which people tended to it. */
const historyLength = 20;

/** Has anybody but the broker started, restarted or changed it since it was left alone? And what was done last? */
function readTending(
  operations: readonly Operation[],
  healing: RestartRecord | undefined,
): Pick<RestartSituation, 'tended' | 'latest' | 'unyielding'> {
  const ended = operations.filter(({ bindingId, finishedAt }) => bindingId === undefined && finishedAt);
  const known = ended.findIndex(({ id }) => id === healing?.after);
  const since = known < 0 ? ended : ended.slice(0, known);
  const tended = since.some(
    ({ kind, origin }) =>
      (kind === 'start' || kind === 'restart' || kind === 'update') && origin.protocol !== monitor.protocol,
  );
  const [latest] = ended;
  return {
    tended: (healing?.leftAlone === true || healing?.unyielding === true) && tended,
    unyielding: latest?.origin.protocol === monitor.protocol && endedInVain.has(latest.failure?.word ?? ''),
    latest: latest?.id,
  };
}

/** With these words a restart ends after which nothing should live that it was to end. */
const endedInVain: ReadonlySet<string> = new Set([leftRunning, overLimit, 'stuck']);

/** Who asks for what the broker does by itself. */
const monitor = { protocol: 'monitor' };

/**
 * As an operation, like any other; not when somebody has begun one, or changed the instance, since the look.
 * @returns whether it was begun
 */
async function restart(
  core: RequestContext,
  { id: instanceId, version }: ServiceInstance,
  treated: readonly Treated[],
): Promise<boolean> {
  const namesOf = (...ways: readonly RestartDecision['restart'][]) =>
    treated
      .filter(({ remedy }) => remedy.restart && ways.includes(remedy.restart))
      .map(({ unit }) => unit.unit);
  const command = {
    instanceId,
    version,
    units: namesOf('start', 'end', 'end-over'),
    sparing: { end: namesOf('end') },
    acceptsIncomplete: true,
    origin: monitor,
  };
  try {
    return (await startStop(core, command, 'restart')).is !== 'absent';
  } catch (error) {
    if (error instanceof Refusal && error.code === 'busy') return false;
    // How an operation ended is told where it ends.
    if (error instanceof Failure) return true;
    throw error;
  }
}

function postponed({ unit: { healing: _counted, ...unit }, remedy }: Treated): UnitSeen {
  const healing = remedy.restart ? remedy.postponed : remedy.healing;
  return { ...unit, healing };
}

function tell(core: RequestContext, instanceId: string, changes: readonly Changed[], trouble?: string): void {
  for (const {
    unit: { unit, status: to, reason },
    from,
  } of changes)
    core.observe({ type: 'unit-changed', instanceId, unit, from, to, reason });
  if (changes.length > 0) tellTrouble(core, instanceId, trouble);
}

function tellTrouble(core: RequestContext, instanceId: string, detail: string | undefined): void {
  if (detail === undefined) return;
  core.observe({ type: 'trouble', doing: `looking at instance ${instanceId}`, detail });
}

/** Once, when it begins; of several units that have the same one it is told of the first. */
function tellWarnings(
  core: RequestContext,
  instanceId: string,
  units: readonly UnitSeen[],
  seen: Seen | undefined,
): void {
  if (seen?.units.some(({ warning }) => warning !== undefined)) return;
  const first = new Map(units.toReversed().map((unit) => [unit.warning, unit.unit]));
  for (const [reason, unit] of first)
    if (reason !== undefined) core.observe({ type: 'limit-near', instanceId, unit, reason });
}

function tellLeftAlone(core: RequestContext, instanceId: string, treated: readonly Treated[]): void {
  for (const { unit, remedy, before } of treated)
    if (remedy.healing?.leftAlone && !before?.leftAlone)
      core.observe({
        type: 'left-alone',
        instanceId,
        unit: unit.unit,
        restarts: remedy.healing.restarts.length,
      });
}
