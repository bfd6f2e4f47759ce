import { codeOf } from '../../../system/error-code.ts';
import { endProcess, endStrays, isAnyLeft, signalGroup } from '../../../system/end-process.ts';
import { runProgram } from '../../../system/run-program.ts';
import { programBehind } from '../../../system/sandbox/inside.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import { findStruckLimits, tellMemoryEnd, tellStruckLimits } from '../../../node/struck-limits.ts';
import { requireExecutables } from './executables.ts';
import { environmentOf, launchUnit } from './launch.ts';
import { findLaunched, findLaunchTime, findLive, listLaunched } from './launched.ts';
import { boundLog, tailOf } from './logs.ts';
import type { UnitDescription, UnitRunner } from './runner.ts';

/** Units as processes of this machine: each is known by its process's identity, in a file of its instance's. */
export const processRunner: UnitRunner = {
  kind: 'process',
  async listLeft({ directory, work }, named) {
    return listLaunched(directory)
      .filter(({ unit }) => named?.includes(unit) ?? true)
      .filter(({ identity }) => isAnyLeft(identity, work.instance.id))
      .map(({ unit }) => unit);
  },
  async isLive({ directory }, unit) {
    return findLive(directory, unit) !== undefined;
  },
  async describe(context, unit, blueprint): Promise<UnitDescription> {
    const { directory, node, work } = context;
    boundLog(node, directory, unit, work.plan.operating.limits?.disk);
    const live = findLive(directory, unit);
    const strikes = findStruckLimits(node, directory, blueprint?.limits ?? work.plan.operating.limits ?? {});
    const began = findLaunchTime(directory, unit);
    if (!live) return { alive: false, reason: tellMemoryEnd(strikes, began) };
    const pid = programBehind(live.identity.pid, node.sandbox);
    return { alive: true, pid, ...tellStruckLimits(strikes, began) };
  },
  launch: launchUnit,
  async signal({ directory, work }, unit, signal) {
    const launched = findLaunched(directory, unit);
    if (launched) signalGroup(launched.identity, signal, work.instance.id);
  },
  /** What the program stands behind, and what it has started, may end by it. */
  async signalProgram({ directory, node }, unit, signal) {
    const live = findLive(directory, unit);
    if (!live) return false;
    try {
      process.kill(programBehind(live.identity.pid, node.sandbox), signal);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return false;
      throw error;
    }
  },
  async run({ node, directory, work }, unit, { cwd, env }, command) {
    return runProgram(node, {
      ...command,
      cwd: directory[cwd],
      env: environmentOf(node, directory, work.instance.id, unit, env),
    }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
  },
  async tail({ node, directory }, unit, own, lines) {
    return tailOf(node, directory, unit, own, lines);
  },
  pids: livePids,
  requireParts: requireExecutables,
  async purge(_settings, directory, { instanceId }) {
    await Promise.all(
      listLaunched(directory).map(({ identity }) =>
        endProcess(identity, { termMs: 10_000, killMs: 5_000, instanceId }),
      ),
    );
    await endStrays(directory.data);
  },
};

/** As the machine numbers them: of the programs themselves, not of what a sandbox puts around them. */
function livePids({ directory, node }: InstanceContext): Readonly<Record<string, number>> {
  const live = listLaunched(directory).filter(({ unit }) => findLive(directory, unit));
  return Object.fromEntries(
    live.map(({ unit, identity }) => [unit, programBehind(identity.pid, node.sandbox)]),
  );
}
