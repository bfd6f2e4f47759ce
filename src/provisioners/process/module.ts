import type { NodeSettings } from '../../node/instance-context.ts';
import { traits } from './traits.ts';

/** Processes of an instance on this node, from what the offering file declares. */
export const processModule = {
  name: 'process',
  traits,
  async create({ node, ports, users, certificates }: NodeSettings) {
    const { processes } = await import('./index.ts');
    return processes({ node, ports, users, certificates });
  },
};
