import { createProvisioners } from '../../src/program/opening/open-provisioners.ts';
import { readConfig } from '../../src/program/config.ts';
import { absentNode } from '../../src/provisioners/absent.ts';
import { openPool } from '../../src/postgres/connections.ts';
import type { Registry } from '../../src/provisioners/index.ts';

/**
 * All that the program ships, of a broker that is no node and has no shared server.
 * @param pool where things are made in the broker's own database
 */
export function shippedProvisioners(dataDir: string, pool = openPool({})): Promise<Registry> {
  return createProvisioners({
    config: readConfig({ DATA_DIR: dataDir }),
    database: { pool, connection: {}, embedded: false },
    ...absentNode([]),
  });
}
