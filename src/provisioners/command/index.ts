/**
 * Hooks alone: everything an instance is, the offering's own executables make. The broker gives them a directory, ports
 * when they ask for some, and keeps what they tell.
 */
import { portOwnerOf } from '../../broker/key.ts';
import type { Made, Provisioner, Resource, Work } from '../../broker/provisioner.ts';
import { findMissingHook } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import {
  directoryOf,
  listInstanceDirectories,
  purgeInstanceDirectory,
} from '../../node/instance-directory.ts';
import {
  hookActs,
  makingActs,
  removingActs,
  restartingActs,
  startingActs,
  stoppingActs,
  unbindingActs,
  updatingActs,
} from './acts.ts';
import { look, readLog } from './look.ts';
import { type Act, takeAct } from './sequence.ts';
import { type CommandSettings, factsOf, hasHook, kind, type Site, siteOf } from './site.ts';
import { traits } from './traits.ts';

/** @param settings the node that this broker is, and the numbers it may give to its instances */
export function command(settings: CommandSettings): Provisioner {
  const { node } = settings;
  const site = (work: Work) => siteOf(settings, work);
  const run = (work: Work, acts: (site: Site) => readonly Act[]) =>
    takeAct(acts(site(work)), work, () => undefined);
  return {
    name: 'command',
    traits,
    provision: (work) => make(site(work), makingActs(site(work))),
    update: (work) => make(site(work), updatingActs(site(work))),
    deprovision: (work) => run(work, removingActs),
    bind: (work) => bind(site(work)),
    unbind: (work) => run(work, unbindingActs),
    units: {
      inspect: (work) => look(site(work)),
      start: (work) => run(work, startingActs),
      stop: (work) => run(work, stoppingActs),
      restart: (work) => run(work, restartingActs),
      log: (work, query) => readLog(site(work), query),
    },
    inventory: async () => listInstanceDirectories(node, kind),
    purge: (thing) => purge(settings, thing),
    obstacle({ operating }) {
      const missing = findMissingHook(node, operating.hooks);
      return missing === undefined ? undefined : `the hook ${missing} is in no catalog directory`;
    },
  };
}

/** Ends the hooks that run for it, removes its directory and gives its ports back. What they have made elsewhere stays. */
async function purge({ node, ports }: CommandSettings, thing: Resource): Promise<void> {
  const { instanceId, key } = thing;
  if (instanceId !== undefined && key !== undefined)
    await endLeftHooks(directoryOf(node, kind, key), instanceId);
  await purgeInstanceDirectory(node, kind, thing);
  const owner = portOwnerOf(thing);
  if (owner !== undefined) await ports.release(node.name, owner);
}

function make(site: Site, acts: readonly Act[]) {
  return takeAct<Made>(acts, site.work, (told) => ({ facts: factsOf(site, told) }));
}

/** A binding's outputs are the instance's and its own, for its facts hide those of the instance. */
function bind(site: Site) {
  const acts = hookActs(site, ['bind']);
  return takeAct<Made>(acts, site.work, (told) =>
    hasHook(site.work, 'bind') ? { facts: { outputs: factsOf(site, told)['outputs'] ?? {} } } : {},
  );
}
