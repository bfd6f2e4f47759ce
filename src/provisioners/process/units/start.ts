import { Failure } from '../../../broker/errors.ts';
import { portOwner } from '../../../broker/key.ts';
import { ensureCertificate, noteLoaded } from '../certificate.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';
import { findConfigured } from '../files/state.ts';
import { isRunning } from './end.ts';
import { isPortFree } from '../probe/free-port.ts';
import { callHook, hasHook } from '../../../node/hook-steps.ts';
import { startLimit } from '../../../node/step-limits.ts';
import { awaitReady } from '../probe/ready.ts';
import type { ProcessContext } from '../context.ts';

type Units = Readonly<Record<string, UnitBlueprint>>;

/** The units as they are configured; of those named, or all. */
export function unitsOf({ directory }: ProcessContext, named?: readonly string[]): Units {
  const units = findConfigured(directory)?.units ?? {};
  return Object.fromEntries(Object.entries(units).filter(([unit]) => named?.includes(unit) ?? true));
}

/** All but those that somebody has stopped. */
export function wantedUnits(context: ProcessContext): Units {
  const { stoppedUnits = [] } = context.work.instance;
  return Object.fromEntries(
    Object.entries(unitsOf(context)).filter(([unit]) => !stoppedUnits.includes(unit)),
  );
}

/**
 * Starts units in their order; those of one number are ready before the next number's begin. Units that run go on.
 * @throws Failure when one cannot be started or does not get ready
 */
export async function startUnits(context: ProcessContext, units: Units, tries: number): Promise<void> {
  await ensureCertificate(context);
  if (hasHook(context, 'start')) {
    await callHook(context, 'start', tries);
    return noteLoaded(context, Object.keys(units));
  }
  const groups = inOrder(units);
  for (const [index, group] of groups.entries()) {
    const results = await Promise.allSettled(
      Object.entries(group).map(([unit, blueprint]) => context.runner.launch(context, unit, blueprint)),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    if (index < groups.length - 1) await awaitReady(context, group, startLimit(context.work.plan.operating));
  }
}

/** The names of the ports that somebody else listens at. While a unit of ours runs nobody can tell. */
export async function findTakenPorts(
  context: ProcessContext,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0 || (await isRunning(context))) return [];
  const taken: string[] = [];
  for (const name of names) {
    const port = context.numbers[name];
    if (port !== undefined && !(await isPortFree(context.node.bind, port))) taken.push(name);
  }
  return taken;
}

/**
 * For each of these ports another number, at which nobody listens.
 * @throws Failure when there is none
 */
export async function replacePorts(
  context: ProcessContext,
  names: readonly string[],
): Promise<Record<string, number>> {
  const { ports, node, work } = context;
  const numbers: Record<string, number> = { ...context.numbers };
  for (const name of names) {
    for (let port: number | undefined; port === undefined || !(await isPortFree(node.bind, port));) {
      work.signal.throwIfAborted();
      port = await ports.replace(node.name, portOwner(work.instance), name);
      if (port === undefined) throw noPort();
      numbers[name] = port;
    }
  }
  return numbers;
}

export function noPort(): Failure {
  return new Failure('no-port', 'There is no free network port for the instance now. Try again later.');
}

function inOrder(units: Units): readonly Units[] {
  const orders = [...new Set(Object.values(units).map(({ order }) => order))].toSorted((a, b) => a - b);
  return orders.map((order) =>
    Object.fromEntries(Object.entries(units).filter(([, unit]) => unit.order === order)),
  );
}
