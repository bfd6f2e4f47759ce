import type { Work } from '../../broker/provisioner.ts';
import { Failure } from '../../broker/errors.ts';
import type { Executed, Execution, LogQuery, UnitLog } from '../../broker/units.ts';
import type { UnitBlueprint } from './files/blueprint.ts';
import { requireNames } from './start-stop.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { unitsOf } from './units/start.ts';

/**
 * Runs a command as each unit's program runs: in its directory, with its environment and as its account.
 * @throws Failure when there is no such unit
 */
export async function exec(
  settings: UnitSettings,
  work: Work,
  { command, unit, timeout }: Execution,
): Promise<readonly Executed[]> {
  const context = contextOf(settings, work);
  const units = chosen(context, unit);
  return Promise.all(
    Object.entries(units).map(([name, blueprint]) => execIn(context, name, blueprint, command, timeout)),
  );
}

/** The last lines of each unit's log. @throws Failure when there is no such unit */
export async function log(
  settings: UnitSettings,
  work: Work,
  { unit, lines }: LogQuery,
): Promise<readonly UnitLog[]> {
  const context = contextOf(settings, work);
  return Promise.all(
    Object.entries(chosen(context, unit)).map(async ([name, blueprint]) => ({
      unit: name,
      text: await context.runner.tail(context, name, blueprint.log, lines),
    })),
  );
}

function chosen(context: ProcessContext, unit: string | undefined): Readonly<Record<string, UnitBlueprint>> {
  const units = unitsOf(context);
  const names = Object.keys(units);
  if (names.length === 0) throw new Failure('invalid', 'The instance has no units now.');
  requireNames(names, unit === undefined ? [] : [unit]);
  return unit === undefined ? units : unitsOf(context, [unit]);
}

async function execIn(
  context: ProcessContext,
  unit: string,
  blueprint: UnitBlueprint,
  command: readonly string[],
  timeout: number,
): Promise<Executed> {
  const ran = await context.runner.run(context, unit, blueprint, {
    // Both outputs as one, in the order in which they are written. The command's words stay arguments.
    command: ['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', ...command],
    timeoutMs: timeout,
    signal: context.work.signal,
  });
  if (!ran) return { unit, code: -1, output: 'There is no /bin/sh where the unit runs.' };
  const { code, timedOut, tooMuch, stdout, stderr } = ran;
  return { unit, code: timedOut || tooMuch ? -1 : (code ?? -1), output: stdout + stderr };
}
