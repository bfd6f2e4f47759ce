import { join } from 'node:path';
import { traits } from './traits.ts';

/** What fails as a plan says; it makes its things in the data directory. */
export const faultyModule = {
  name: 'faulty',
  traits,
  async create({ config }: { readonly config: { readonly dataDir: string } }) {
    const { faulty } = await import('./index.ts');
    return faulty(join(config.dataDir, 'trial'));
  },
};
