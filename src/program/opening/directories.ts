import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { isLoopback } from '../../config/loopback.ts';
import { requireUsable } from '../../system/usable-directory.ts';

/**
 * Looks at the directories that the broker will write into, before anything else is done.
 * @throws Error with a sentence that names the option and the cause
 */
export function requireDirectories(config: Config): void {
  const { externalDatabase, dataDir, node, nodeDir } = config;
  const option = nodeDir === join(dataDir, 'node') ? 'DATA_DIR' : 'NODE_DIR';
  // Beside an external database nothing else is kept here.
  if (!externalDatabase || (node && option === 'DATA_DIR')) requireUsable('DATA_DIR', dataDir);
  // Where it is not there yet, the node makes it itself, such that its programs can enter.
  if (node) requireUsable(option, existsSync(nodeDir) ? nodeDir : dirname(nodeDir));
}

/** What somebody who sets HOST alone most likely forgot; undefined: nothing. */
export function forgottenAddress({ host, publicUrl, node, nodeHost }: Config): string | undefined {
  if (!isEverywhere(host)) return undefined;
  const missing = [
    ...(publicUrl === undefined ? ['PUBLIC_URL, where platforms and applications find this broker'] : []),
    ...(node && isLoopback(nodeHost) ? ['NODE_HOST, where applications find what runs here'] : []),
  ];
  if (missing.length === 0) return undefined;
  return `HOST is ${host}, but other machines are given addresses that only this one knows: set ${missing.join(', and ')}.`;
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || /^\[?(::|0(:0){7})\]?$/.test(host);
}
