import { portOwnerOf } from '../../broker/key.ts';
import type { Resource } from '../../broker/provisioner.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import {
  directoryOf,
  listInstanceDirectories,
  purgeInstanceDirectory,
} from '../../node/instance-directory.ts';
import { endAccount, releaseAccount } from '../../node/instance-account.ts';
import type { UnitSettings } from './units/runner.ts';

/** The directories of instances on this node, from which every unit was launched, and what is elsewhere without one. */
export async function inventory({ node, runner }: UnitSettings): Promise<readonly Resource[]> {
  const directories = listInstanceDirectories(node, runner.kind);
  return [...directories, ...((await runner.listElsewhere?.(node, directories)) ?? [])];
}

/** Ends what was launched from a directory, then removes it and gives its ports back. */
export async function purge(settings: UnitSettings, thing: Resource): Promise<void> {
  const { node, ports, runner } = settings;
  const { instanceId, key } = thing;
  if (key !== undefined) {
    const directory = directoryOf(node, runner.kind, key);
    await runner.purge(settings, directory, thing);
    await endAccount(directory);
    if (instanceId !== undefined) await endLeftHooks(directory, instanceId);
    await node.keeper?.groups?.remove(key);
  }
  await purgeInstanceDirectory(node, runner.kind, thing);
  const owner = portOwnerOf(thing);
  if (owner === undefined) return;
  await releaseAccount(settings, owner);
  await ports.release(node.name, owner);
}
