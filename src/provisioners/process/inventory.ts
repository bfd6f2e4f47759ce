import { portOwnerOf } from '../../broker/key.ts';
import type { Resource } from '../../broker/provisioner.ts';
import { endProcess } from '../../system/end-process.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import {
  directoryOf,
  listInstanceDirectories,
  purgeInstanceDirectory,
} from '../../node/instance-directory.ts';
import { endAccount, releaseAccount } from '../../node/instance-account.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { endStrays } from '../../system/end-process.ts';
import type { NodeSettings } from '../../node/instance-context.ts';
import { kind } from './context.ts';
import { listLaunched } from './units/launched.ts';

/** The directories of instances on this node. Every process was launched from one, and is found by it. */
export async function inventory(node: LocalNode): Promise<readonly Resource[]> {
  return listInstanceDirectories(node, kind);
}

/** Ends what was launched from a directory, then removes it and gives its ports back. */
export async function purge(settings: NodeSettings, thing: Resource): Promise<void> {
  const { node, ports } = settings;
  const { instanceId, key } = thing;
  if (key !== undefined) {
    const directory = directoryOf(node, kind, key);
    const launched = listLaunched(directory);
    await Promise.all(
      launched.map(({ identity }) => endProcess(identity, { termMs: 10_000, killMs: 5_000, instanceId })),
    );
    await endStrays(directory.data);
    await endAccount(directory);
    if (instanceId !== undefined) await endLeftHooks(directory, instanceId);
    await node.keeper?.groups?.remove(key);
  }
  await purgeInstanceDirectory(node, kind, thing);
  const owner = portOwnerOf(thing);
  if (owner === undefined) return;
  await releaseAccount(settings, owner);
  await ports.release(node.name, owner);
}
