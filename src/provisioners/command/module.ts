import type { NodeSettings } from '../../node/instance-context.ts';
import { traits } from './traits.ts';

/** Hooks of the offering, which make everything themselves. */
export const commandModule = {
  name: 'command',
  traits,
  async create({ node, ports, users }: NodeSettings) {
    const { command } = await import('./index.ts');
    return command({ node, ports, users });
  },
};
