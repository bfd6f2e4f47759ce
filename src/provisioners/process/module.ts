import type { ProcessSettings } from './site.ts';
import { traits } from './traits.ts';

/** Processes of an instance on this node, from what the offering file declares. */
export const processModule = {
  name: 'process',
  traits,
  async create({ node, ports }: ProcessSettings) {
    const { processes } = await import('./index.ts');
    return processes({ node, ports });
  },
};
