import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceLimits } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import { codeOf } from '../../system/error-code.ts';
import type { InstanceContext } from '../instance-context.ts';
import type { InstanceDirectory } from '../instance-directory.ts';
import type { LocalNode } from '../local-node.ts';
import { readMark, writeMarkSync } from '../state-files.ts';

type Limited = Pick<InstanceContext, 'node' | 'directory'>;

/**
 * Sets the limits of an instance's group, for what runs already and for what comes.
 * @throws Failure 'over-limit' when it uses more memory than it shall have; the file system's error
 */
export function applyLimits({ limits }: LocalNode, amounts: ResourceLimits): void {
  try {
    limits?.keeper.groups?.apply(limits.group, amounts);
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error;
    throw new Failure('over-limit', 'The instance uses more memory than this plan gives.', {
      instanceUsable: true,
      updateRepeatable: true,
    });
  }
}

/** Gives an instance the limits of its plan, and remembers them. @throws as `applyLimits` */
export function setLimits({ node, directory }: Limited): void {
  const { amounts = {} } = node.limits ?? {};
  applyLimits(node, amounts);
  writeMarkSync(directory, current, { ...amounts });
}

/**
 * The same during an update: until that has done its work, the limits of before are kept aside. Those that an update
 * has left there, which was broken off, stay: they are the last ones known to have worked.
 */
export function changeLimits(limited: Limited): void {
  const { directory } = limited;
  if (!readMark(directory, former)) writeMarkSync(directory, former, readMark(directory, current) ?? {});
  setLimits(limited);
}

/** The same at a start: whatever an update that was broken off has left, the instance is of its plan. @throws likewise */
export function renewLimits(limited: Limited): void {
  setLimits(limited);
  forgetFormerLimits(limited.directory);
}

/** Brings back what was kept aside; nothing happens where there is nothing. @throws as `applyLimits` */
export function restoreLimits({ node, directory }: Limited): void {
  const before = readMark(directory, former);
  if (!before) return;
  applyLimits(node, before as ResourceLimits);
  writeMarkSync(directory, current, before);
  forgetFormerLimits(directory);
}

export function forgetFormerLimits({ state }: InstanceDirectory): void {
  rmSync(join(state, `${former}.json`), { force: true });
}

const current = 'limits';
const former = 'former-limits';
