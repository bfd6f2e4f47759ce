import { existsSync } from 'node:fs';
import { Failure } from '../broker/errors.ts';
import type { Work } from '../broker/provisioner.ts';
import { overLimit, type UnitFacts } from '../broker/units.ts';
import { inMegabytes } from '../system/limits/amounts.ts';
import type { InstanceDirectory } from './instance-directory.ts';
import type { LocalNode } from './local-node.ts';

/** An instance at its place. */
interface Subject {
  readonly node: LocalNode;
  readonly directory: InstanceDirectory;
  readonly work: Work;
}

/** What a look at the disk adds to the facts of each unit. */
export type DiskFacts = Pick<UnitFacts, 'exceeds' | 'warning'>;

/** Milliseconds that a look waits for a measurement, and that an operation does. */
const patience = { look: 1500, operation: 10_000 };
/** Of what its plan allows: from here on it is warned. */
export const warnFrom = 0.9;

/** Holds what the directory of an instance takes, as it was last measured, against the limit of its plan. */
export async function lookAtDisk({ node, directory, work }: Subject): Promise<DiskFacts> {
  const limit = work.plan.operating.limits?.disk;
  if (limit === undefined) return {};
  const bytes = await node.meter?.lately(directory.base, patience.look);
  if (bytes === undefined || bytes < warnFrom * limit) return {};
  const taken = figures(bytes, limit);
  if (bytes <= limit) return { warning: `it ${taken}` };
  return { exceeds: `it ${taken}: it does not run until it takes less, or has a larger plan` };
}

/**
 * Before anything is started: would it be over the limit of its plan at once? Measured now; when that takes too long it is
 * started, and the next look will tell.
 * @throws Failure with the figures
 */
export async function requireDisk(subject: Subject): Promise<void> {
  const over = await findOverDisk(subject);
  if (over === undefined) return;
  throw new Failure(
    overLimit,
    `The instance ${over}. Choose a larger plan, or try again when it takes less.`,
    { instanceUsable: true, updateRepeatable: true },
  );
}

/** What there is to say of an instance that takes more on the disk, now, than its plan allows, as a predicate. */
export async function findOverDisk({ node, directory, work }: Subject): Promise<string | undefined> {
  const limit = work.plan.operating.limits?.disk;
  if (limit === undefined || !existsSync(directory.base)) return undefined;
  const bytes = await node.meter?.now(directory.base, patience.operation, work.signal);
  return bytes === undefined || bytes <= limit ? undefined : figures(bytes, limit);
}

function figures(bytes: number, limit: number): string {
  return `takes ${inMegabytes(bytes)} MB on the disk, and its plan allows ${inMegabytes(limit)} MB`;
}
