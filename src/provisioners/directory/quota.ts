import type { UnitFacts } from '../../broker/units.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { warnFrom } from '../../node/disk-limit.ts';
import { inMegabytes } from '../../system/limits/amounts.ts';
import { measureDisk } from '../../system/limits/disk-meter.ts';
import type { DirectoryConfig } from './config.ts';

/** Milliseconds that a directory has to be measured. */
const patience = 3000;

/**
 * Holds what there is against the quota, and only tells: a directory that nobody may write in could not be tidied up
 * either.
 * @returns what there is to say
 */
export async function tellUse(
  node: LocalNode,
  data: string,
  { quotaMb }: DirectoryConfig,
  signal: AbortSignal,
): Promise<Pick<UnitFacts, 'reason' | 'warning'>> {
  if (quotaMb === undefined) return {};
  const bytes = await measureDisk(node.path, data, { patience, signal });
  if (bytes === undefined) return { reason: `its size could not be found within ${patience / 1000} s` };
  const quota = quotaMb * 1024 * 1024;
  const used = `${inMegabytes(bytes)} MB of ${quotaMb} MB are used`;
  const reason = bytes > quota ? `it is over its quota: ${used}` : used;
  return { reason, warning: bytes < warnFrom * quota ? undefined : reason };
}
