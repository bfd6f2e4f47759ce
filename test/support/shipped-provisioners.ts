import { createProvisioners } from '../../src/program/opening/open-provisioners.ts';
import { readConfig } from '../../src/program/config.ts';
import { absentNode } from '../../src/provisioners/absent.ts';
import type { Registry } from '../../src/provisioners/index.ts';

/** All that the program ships, of a broker that is no node and has no shared server. */
export function shippedProvisioners(dataDir: string): Promise<Registry> {
  return createProvisioners({
    config: readConfig({ DATA_DIR: dataDir }),
    database: { connection: {}, embedded: false },
    ...absentNode([]),
  });
}
