import type { CommandSettings } from './site.ts';
import { traits } from './traits.ts';

/** Hooks of the offering, which make everything themselves. */
export const commandModule = {
  name: 'command',
  traits,
  async create({ node, ports }: CommandSettings) {
    const { command } = await import('./index.ts');
    return command({ node, ports });
  },
};
