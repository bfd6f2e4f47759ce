import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { openNode, type NodeOptions, type OpenNode } from '../../src/node/open-node.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

export interface TestNode {
  readonly node: OpenNode;
  /** A place beside the node's directory, open to everybody. */
  readonly place: string;
  close(): Promise<void>;
}

/** A node in a place of its own; as root it runs programs as nobody. */
export async function aTestNode(options: Partial<NodeOptions> = {}): Promise<TestNode> {
  const place = scratchDirectory('node');
  await chmod(place, 0o755);
  const node = await openNode({
    name: 'here',
    host: '127.0.0.1',
    bind: '127.0.0.1',
    directory: join(place, 'node'),
    path: '/usr/local/bin:/usr/bin:/bin',
    catalogDirs: [join(place, 'catalog')],
    note: () => undefined,
    ...options,
  });
  return {
    node,
    place,
    async close() {
      const { groups } = node.keeper ?? {};
      for (const name of groups?.list() ?? []) await groups?.remove(name);
      node.close();
    },
  };
}
