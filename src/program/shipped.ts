/** What this program can make, and who it speaks to. Each brings its migrations, and is loaded when it is made. */
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import type { MigrationSet } from '../postgres/migrate.ts';
import { dashboardModule } from '../protocols/dashboard/module.ts';
import { healthModule } from '../protocols/health/module.ts';
import { metricsModule } from '../protocols/metrics/module.ts';
import { operatorModule } from '../protocols/operator/module.ts';
import { osbModule } from '../protocols/osb/module.ts';
import { pagesModule } from '../protocols/pages/module.ts';
import { tsuruModule } from '../protocols/tsuru/module.ts';
import { commandModule } from '../provisioners/command/module.ts';
import { directoryModule } from '../provisioners/directory/module.ts';
import { echoModule } from '../provisioners/echo/module.ts';
import { faultyModule } from '../provisioners/faulty/module.ts';
import { kubernetesModule } from '../provisioners/kubernetes/module.ts';
import { postgresModule } from '../provisioners/postgres/module.ts';
import { containerModule } from '../provisioners/process/containers/module.ts';
import { processModule } from '../provisioners/process/module.ts';
import { brokerMigrations } from '../stores/postgres/broker-migrations.ts';

/** The ways of making things: add yours, and name it in an offering file. */
export const provisionerModules = [
  echoModule,
  faultyModule,
  processModule,
  containerModule,
  kubernetesModule,
  postgresModule,
  directoryModule,
  commandModule,
] as const;

/** Unknown paths are the first one's. Provisioners that applications speak to have protocols of their own. */
export const protocolModules = [
  osbModule,
  healthModule,
  metricsModule,
  tsuruModule,
  // Unknown paths below /operator are those of the API, which comes behind it.
  pagesModule,
  operatorModule,
  dashboardModule,
] as const;

/** By the name of the provisioner: what an offering file that names it may say. */
export function shippedTraits(): Readonly<Record<string, ProvisionerTraits>> {
  return Object.fromEntries(provisionerModules.map(({ name, traits }) => [name, traits]));
}

/** The tables of the broker, and those that they have beside them. */
export function shippedMigrations(): readonly MigrationSet[] {
  const others = [...provisionerModules, ...protocolModules].flatMap((one) =>
    'migrations' in one ? [one.migrations] : [],
  );
  return [brokerMigrations, ...others];
}
