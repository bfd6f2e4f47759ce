import type { Readiness } from './index.ts';

/** Probes, for platforms and people. */
export const healthModule = {
  async create({ readiness }: { readonly readiness: () => Promise<Readiness> }) {
    const { health } = await import('./index.ts');
    return health(readiness);
  },
};
