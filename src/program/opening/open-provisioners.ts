import type { Authorities, Certificates, Ports, Users } from '../../broker/nodes.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { absentNode } from '../../provisioners/absent.ts';
import { registry, type Registry } from '../../provisioners/index.ts';
import { lateCertificates } from '../authority/late.ts';
import { postgresPorts } from '../../stores/postgres/ports.ts';
import { noNames, statementNames } from '../../postgres/statement-names.ts';
import { postgresUsers } from '../../stores/postgres/users.ts';
import type { Config } from '../config.ts';
import { provisionerModules } from '../shipped.ts';
import type { OpenDatabase } from './open-database.ts';

export interface ProvisionersOpening {
  readonly config: Config;
  readonly database: OpenDatabase;
  /** Absent: this broker is no node. What is local is then known here, but never made. */
  readonly node?: LocalNode | undefined;
  readonly authorities: Authorities;
}

/** What provisioners are made from; each takes what it needs. */
export interface ProvisionerParts {
  readonly config: Config;
  readonly database: Pick<OpenDatabase, 'pool' | 'connection' | 'embedded'>;
  readonly node: LocalNode;
  readonly ports: Ports;
  readonly users?: Users;
  readonly certificates?: Certificates;
}

/** All ways of making things, with what they need of this machine and of the servers that are known. */
export function openProvisioners({
  config,
  database,
  node,
  authorities,
}: ProvisionersOpening): Promise<Registry> {
  const { pool } = database;
  // Where names are lost, the store tells.
  const names = config.databasePrepare ? statementNames(() => undefined) : noNames;
  const certificates = lateCertificates(authorities);
  const place = node
    ? { node, ports: postgresPorts(pool, names), users: postgresUsers(pool, names), certificates }
    : absentNode(config.catalogDirs);
  return createProvisioners({ config, database, ...place });
}

export async function createProvisioners(parts: ProvisionerParts): Promise<Registry> {
  return registry(await Promise.all(provisionerModules.map((one) => one.create(parts))));
}
