import type { CliCommand } from '../command.ts';
import { backupCommands } from './backups.ts';
import { bindings } from './bindings.ts';
import { dashboardLink } from './dashboard-link.ts';
import { repairCommands } from './repair.ts';
import { auditCommands } from './audit.ts';
import { authorityCommands } from './authorities.ts';
import { instanceCommands } from './instances.ts';
import { nodeCommands } from './nodes.ts';
import { offerings } from './offerings.ts';
import { openapi } from './openapi.ts';
import { operations } from './operations.ts';
import { orphanCommands } from './orphans.ts';
import { quotas } from './quotas.ts';
import { upgradeCommands } from './upgrades.ts';
import { webhookCommands } from './webhooks.ts';

/** What asks the operator API, each under the name that it has there (src/protocols/operator/routes.ts). */
export const operatorCommands: readonly CliCommand[] = [
  ...nodeCommands,
  offerings,
  quotas,
  ...instanceCommands,
  dashboardLink,
  bindings,
  operations,
  ...repairCommands,
  ...upgradeCommands,
  ...webhookCommands,
  ...backupCommands,
  ...orphanCommands,
  ...auditCommands,
  ...authorityCommands,
  openapi,
];
