import type { Pool } from 'pg';
import type { ValuesOf } from '../../config/option.ts';
import { traits } from './form/traits.ts';
import { kubernetesMigrations } from './migrations.ts';
import type { kubernetesOptions } from './options.ts';

interface KubernetesParts {
  readonly config: ValuesOf<typeof kubernetesOptions>;
  readonly database: { readonly pool: Pool };
}

/** Objects of a Kubernetes cluster. */
export const kubernetesModule = {
  name: 'kubernetes',
  traits,
  migrations: kubernetesMigrations,
  async create({ config, database }: KubernetesParts) {
    const { kubernetes } = await import('./index.ts');
    const { createClusters } = await import('./client/clusters.ts');
    const { installationIn } = await import('./installation.ts');
    const { queryThrough } = await import('../../postgres/query.ts');
    const installation = installationIn(queryThrough(database.pool));
    return kubernetes({ clusters: createClusters(config), installation });
  },
};
