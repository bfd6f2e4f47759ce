import type { Ports } from '../../broker/nodes.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { absent } from '../../provisioners/absent.ts';
import { registry, type Registry } from '../../provisioners/index.ts';
import { postgresPorts } from '../../stores/postgres/ports.ts';
import type { Config } from '../config.ts';
import { provisionerModules } from '../shipped.ts';
import type { OpenDatabase } from './open-database.ts';

export interface ProvisionersOpening {
  readonly config: Config;
  readonly database: OpenDatabase;
  /** Absent: this broker is no node. What is local is then known here, but never made. */
  readonly node?: LocalNode | undefined;
}

/** What provisioners are made from; each takes what it needs. */
export interface ProvisionerParts {
  readonly config: Config;
  readonly database: Pick<OpenDatabase, 'connection' | 'embedded'>;
  readonly node: LocalNode;
  readonly ports: Ports;
}

const noNode = 'This broker is not a node.';

/** All ways of making things, with what they need of this machine and of the servers that are known. */
export function openProvisioners({ config, database, node }: ProvisionersOpening): Promise<Registry> {
  return createProvisioners({
    config,
    database,
    node: node ?? absent<LocalNode>(noNode, { catalogDirs: config.catalogDirs }),
    ports: node ? postgresPorts(database.pool) : absent<Ports>(noNode),
  });
}

export async function createProvisioners(parts: ProvisionerParts): Promise<Registry> {
  return registry(await Promise.all(provisionerModules.map((one) => one.create(parts))));
}
