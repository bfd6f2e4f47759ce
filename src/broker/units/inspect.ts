import type { RequestContext } from '../requests/context.ts';
import type { BrokerContext } from '../context.ts';
import type { ServicePlan } from '../catalog.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { Provisioner, Work, UnitControl } from '../provisioner.ts';
import type { Operation, ServiceInstance } from '../records.ts';
import { decideStatus, type Judgement, type Situation, symptomOf } from './status.ts';
import type { Seen, Symptom, UnitFacts, UnitSeen } from '../units.ts';
import { underLimit } from '../timing.ts';
import { redactRecords, templateValues } from '../template-values.ts';
import { isShortage } from '../../system/error-code.ts';

/** Milliseconds that a look at the units of one instance may take. */
export const lookLimit = 5000;

/** What one look at an instance came to. */
export interface Inspection {
  readonly units: readonly UnitSeen[];
  /** Why the provisioner could not say how the units are, for the operator. */
  readonly trouble?: string;
  /** This machine had no room to look, which says nothing of the units: they are as they were last seen. */
  readonly isBlind?: boolean;
}

export interface InspectionSubject {
  readonly instance: ServiceInstance;
  readonly operation?: Operation;
  /** What was seen before. */
  readonly seen?: Seen;
}

/** Instances at which a look is going on that did not end in time: no further one is begun beside it. */
export type Hanging = Set<string>;

/**
 * Looks at every unit of an instance of this node, or of none, now. Never throws: units at which nobody can look
 * are told as they were last seen, and as down unless it is this machine that had no room to look.
 */
export async function inspectInstance(
  core: RequestContext,
  subject: InspectionSubject,
  hanging: Hanging = new Set(),
): Promise<Inspection> {
  const { instance, operation, seen } = subject;
  const now = core.now().toISOString();
  const situationOf = (unit: string): Situation => ({
    stopped: shallRest(instance, unit),
    operation: operation?.kind,
  });
  try {
    const facts = await inspectUnits(core, instance, hanging);
    const judge = (unit: UnitFacts) => redacted(decideStatus(situationOf(unit.unit), unit), instance);
    const ailing = (unit: UnitFacts) => symptomOf(situationOf(unit.unit), unit);
    return { units: facts.map((unit) => seeUnit(unit, judge(unit), ailing(unit), seen, now)) };
  } catch (error) {
    const trouble = redactRecords(String(error), [instance]);
    if (isShortage(error))
      return { units: unitsLastSeen(seen, nameOf(core, instance)), trouble, isBlind: true };
    const late = (error as { name?: unknown } | undefined)?.name === 'TimeoutError';
    const reason = late ? 'it could not be looked at in time' : 'it could not be looked at';
    const units = unitsLastSeen(seen, nameOf(core, instance));
    return {
      units: units.map((unit) => restate(unit, { status: 'down', reason }, now)),
      trouble,
    };
  }
}

function shallRest({ stopped = false, stoppedUnits = [] }: ServiceInstance, unit: string): boolean {
  return stopped || stoppedUnits.includes(unit);
}

/** The facts of all units. @throws Error named TimeoutError, and whatever the provisioner throws */
export async function inspectUnits(
  core: RequestContext,
  instance: ServiceInstance,
  hanging: Hanging = new Set(),
): Promise<readonly UnitFacts[]> {
  if (hanging.has(instance.id)) throw new DOMException('An earlier look has not ended yet', 'TimeoutError');
  const { plan, units } = await controlOf(core, instance);
  if (!units) throw new Error(`The provisioner '${plan.making.provisioner}' cannot look`);
  return underLimit(lookLimit, (signal) => {
    const looking = units.inspect(workOn(core, plan, instance, signal));
    const end = () => void hanging.delete(instance.id);
    signal.addEventListener('abort', () => {
      hanging.add(instance.id);
      looking.then(end, end);
    });
    return looking;
  });
}

/** What the only unit is called of an instance whose units nobody has seen: as its offering. */
export function nameOf(
  core: Pick<BrokerContext, 'catalog' | 'hidden'>,
  { offeringId }: Pick<ServiceInstance, 'offeringId'>,
): string {
  return declaredOfferings(core).find(({ id }) => id === offeringId)?.name ?? offeringId;
}

/** How the units of an instance are looked at and operated; `units` is absent when its provisioner cannot. */
export async function controlOf(
  core: RequestContext,
  instance: ServiceInstance,
): Promise<{ plan: ServicePlan; provisioner: Provisioner; units?: UnitControl }> {
  const plan = await core.planOf(instance);
  const provisioner = core.provisioner(plan.making.provisioner);
  return { plan, provisioner, units: provisioner.units };
}

/** What a provisioner may know where there is no operation: for looks and for commands. */
export function workOn(
  core: RequestContext,
  plan: ServicePlan,
  instance: ServiceInstance,
  signal: AbortSignal,
): Work {
  const values = templateValues(plan, instance, undefined, core.settings.url);
  const redact = (text: string) => redactRecords(text, [instance]);
  return { operationId: core.newId(), instance, plan, values, redact, signal };
}

function redacted({ status, reason }: Judgement, instance: ServiceInstance): Judgement {
  return { status, reason: redactRecords(reason, [instance]) };
}

function seeUnit(
  { unit, pid, address, warning }: UnitFacts,
  judgement: Judgement,
  symptom: Symptom | undefined,
  seen: Seen | undefined,
  now: string,
): UnitSeen {
  const before = seen?.units.find((one) => one.unit === unit);
  return {
    unit,
    ...judgement,
    since: before?.status === judgement.status ? before.since : now,
    pid,
    address,
    symptom,
    warning,
    healing: before?.healing,
  };
}

/** The units that an instance is known to have; one, named as given, when nobody has looked yet. */
export function unitsLastSeen(seen: Seen | undefined, name: string): readonly UnitSeen[] {
  if (seen && seen.units.length > 0) return seen.units;
  return [{ unit: name, status: 'unreachable', reason: 'nobody has looked at it yet', since: '' }];
}

/** The unit with another status, since now when it had a different one; what ailed it was seen with the old one. */
export function restate({ symptom: _old, ...unit }: UnitSeen, judgement: Judgement, now: string): UnitSeen {
  const since = unit.status === judgement.status && unit.since ? unit.since : now;
  return { ...unit, ...judgement, since };
}
