import { hostname } from 'node:os';
import type { Settings } from '../../broker/context.ts';
import type { KeyHolder } from '../../stores/postgres/keys.ts';
import type { Config } from '../config.ts';
import { newSecret } from './random.ts';

/** As brokers tell each other who has a key. */
export function keyHolder({ holder, node }: Settings): KeyHolder {
  return { id: holder, label: `the broker ${holder}${node === undefined ? '' : ` (node ${node})`}` };
}

/** What the core is told of this process. @param url its own address */
export function settingsOf(config: Config, url: string): Settings {
  return {
    url,
    holder: `${hostname()}-${process.pid}-${newSecret(6)}`,
    node: config.node ? config.nodeName : undefined,
    asyncPatience: config.asyncPatience,
    syncPatience: config.syncPatience,
    lease: config.lease,
    retention: config.history,
    auditHistory: config.auditHistory,
  };
}
