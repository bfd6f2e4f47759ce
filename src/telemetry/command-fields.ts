import type { BrokerEvent, CommandSummary } from '../broker/events.ts';
import type { LogFields } from './log-lines.ts';

type Fields = {
  readonly [Kind in CommandSummary['kind']]: (
    command: Extract<CommandSummary, { readonly kind: Kind }>,
  ) => LogFields;
};

/** The one table of what the log says of a command. */
const fields: Fields = {
  drain: ({ node }) => ({ node }),
  undrain: ({ node }) => ({ node }),
  forget: ({ node }) => ({ node }),
  abandon: ({ node }) => ({ node }),
  cancel: ({ operationId }) => ({ operationId }),
  'dashboard-link': ({ instanceId, forMs }) => ({ instanceId, forMs }),
  'delete-backup': ({ backupId, instanceId }) => ({ backupId, instanceId }),
  purge: ({ instanceId, bindingId }) => ({ instanceId, bindingId }),
  'force-delete': ({ instanceId, bindingId }) => ({ instanceId, bindingId }),
  protect: ({ instanceId }) => ({ instanceId }),
  unprotect: ({ instanceId }) => ({ instanceId }),
  undelete: ({ instanceId }) => ({ instanceId }),
  'remove-orphan': ({ name, provisioner, node }) => ({ name, provisioner, node }),
  'renew-authority': ({ generation, signsAfter }) => ({ generation, signsAfter }),
  'start-upgrades': ({ run }) => ({ run }),
  'pause-upgrades': ({ run }) => ({ run }),
  'resume-upgrades': ({ run }) => ({ run }),
  'cancel-upgrades': ({ run }) => ({ run }),
  'retry-webhooks': ({ receiver }) => ({ receiver }),
  exec: ({ instanceId, unit, program, argumentCount, ended }) => ({
    instanceId,
    unit,
    program,
    argumentCount,
    ended: ended.map((one) => `${one.unit}: ${one.code}`),
  }),
  log: ({ instanceId, unit, lines }) => ({ instanceId, unit, lines }),
  rekey: ({ records, unreadable }) => ({ records, unreadable }),
};

export function commandFields(command: CommandSummary): LogFields {
  // Each row takes the commands of its own kind.
  const row = fields[command.kind] as (command: CommandSummary) => LogFields;
  return { command: command.kind, ...row(command) };
}

/** What the log says of a message to a receiver of webhooks. */
export function webhookLine({
  receiver,
  id,
  event,
  result,
  detail,
}: Extract<BrokerEvent, { type: 'webhook-tried' }>) {
  const level = ({ delivered: 'debug', failed: 'warn', dead: 'error' } as const)[result];
  return { level, message: `webhook ${result}`, fields: { receiver, id, event, detail } };
}
