import type { LocalNode } from '../../node/local-node.ts';
import { traits } from './traits.ts';

/** Directories on this node. */
export const directoryModule = {
  name: 'directory',
  traits,
  async create({ node }: { readonly node: LocalNode }) {
    const { directories } = await import('./index.ts');
    return directories({ node });
  },
};
