/**
 * Runs the processes of an instance on this node, from what the offering file declares alone: files, ports, order,
 * readiness. Which process is whose is known by identity, never by port or name (docs/lifecycle.md, Processes).
 */
import type { Provisioner } from '../../broker/provisioner.ts';
import { findMissingHook } from '../../node/hooks/files.ts';
import { canBy } from '../../node/backup-hooks.ts';
import { backup, restore } from './files/backup.ts';
import { bind, unbind } from './bind.ts';
import { configOf, mistakeIn } from './config.ts';
import { contextOf } from './context.ts';
import { deprovision } from './deprovision.ts';
import { actByHook } from '../../node/hook-steps.ts';
import { inspect } from './inspect.ts';
import { inventory, purge } from './inventory.ts';
import { restart, start, stop } from './start-stop.ts';
import { provision } from './provision.ts';
import type { NodeSettings } from '../../node/instance-context.ts';
import { processRunner } from './units/processes.ts';
import type { UnitSettings } from './units/runner.ts';
import { restartSparing } from './sparing.ts';
import { exec, log } from './exec-and-log.ts';
import { update } from './update.ts';
import { traits } from './traits.ts';

/** @param settings the node that this broker is, and the numbers it may give to its instances */
export function processes(settings: NodeSettings): Provisioner {
  return { ...unitsOfInstances({ ...settings, runner: processRunner }), traits };
}

/** What is the same whatever runs the units. */
export function unitsOfInstances(settings: UnitSettings): Omit<Provisioner, 'traits'> {
  return {
    name: settings.runner.kind,
    provision: (work) => provision(settings, work),
    update: (work) => update(settings, work),
    deprovision: (work) => deprovision(settings, work),
    bind: (work) => bind(settings, work),
    unbind: (work) => unbind(settings, work),
    units: {
      inspect: (work) => inspect(settings, work),
      start: async (work) => start(settings, work),
      stop: async (work) => stop(settings, work),
      restart: async (work) =>
        work.sparing ? restartSparing(settings, work, work.sparing) : restart(settings, work),
      exec: (work, execution) => exec(settings, work, execution),
      log: (work, query) => log(settings, work, query),
    },
    backups: {
      can: canBy,
      backup: (work) => backup(settings, work),
      restore: (work) => restore(settings, work),
    },
    act: async (work) => actByHook(contextOf(settings, work)),
    inventory: () => inventory(settings),
    purge: (thing) => purge(settings, thing),
    obstacle(plan) {
      const { operating } = plan;
      const missing = findMissingHook(settings.node, operating.hooks);
      const unasked = Object.hasOwn(operating.hooks, 'start') && !Object.hasOwn(operating.hooks, 'check_up');
      if (missing !== undefined) return `the hook ${missing} is in no catalog directory`;
      if (unasked) return 'a hook for start needs one for check_up, which says whether it runs';
      return mistakeIn(configOf(plan));
    },
  };
}
