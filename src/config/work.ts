import { durationOption, jsonObject, oneOf, path, wholeNumber, yesOrNo } from './kinds.ts';
import { optional, standard } from './option.ts';

/** Options of how the broker works, what it tells of that, and what a platform tells it. */
export const workOptions = {
  asyncPatience: standard(
    'ASYNC_PATIENCE',
    durationOption('0ms', '60s'),
    '8s',
    'How long a request that accepts incomplete work waits for its end all the same, before it is answered 202.',
  ),
  syncPatience: standard(
    'SYNC_PATIENCE',
    durationOption('0ms', '1h'),
    '50s',
    'How long a request that does not accept incomplete work waits for its end; platforms give up after 60s.',
  ),
  lease: standard(
    'LEASE',
    durationOption('1s', '10m'),
    '15s',
    'How soon another broker takes over the work of one that died.',
  ),
  workers: standard(
    'WORKERS',
    wholeNumber(0, 1000),
    '10',
    'Operations that run at once beside requests; 0 leaves them to other brokers.',
  ),
  history: standard(
    'HISTORY',
    durationOption('1m', '3650d'),
    '30d',
    'How long operations that ended are remembered.',
  ),
  auditHistory: standard(
    'AUDIT_HISTORY',
    durationOption('1d', '36500d'),
    '400d',
    'How long the audit trail is kept; nothing that is younger than a day goes.',
  ),
  quotasFile: optional(
    'QUOTAS_FILE',
    path(),
    'quotas stand in offering files alone',
    'File of YAML or JSON with quotas of instances and costs, beside and in place of those of offering files.',
  ),
  webhooksFile: optional(
    'WEBHOOKS_FILE',
    path(),
    'nobody is told',
    'File of YAML or JSON that names who is told by signed webhooks of ended operations and changes of status.',
  ),
  acceptMissingVersion: standard(
    'ACCEPT_MISSING_VERSION',
    yesOrNo(),
    'false',
    'Serve clients that send no X-Broker-API-Version.',
  ),
  drain: standard(
    'DRAIN',
    durationOption('1s', '1h'),
    '25s',
    'How long a stop may take; work that is not done by then is handed over.',
  ),
  logLevel: standard(
    'LOG_LEVEL',
    oneOf('error', 'warn', 'info', 'debug'),
    'info',
    'The least important log lines to write: error, warn, info or debug.',
  ),
  logFormat: optional(
    'LOG_FORMAT',
    oneOf('text', 'json'),
    'text on a terminal, else json',
    'Log lines for people (text) or for machines (json).',
  ),
  vcapServices: optional(
    'VCAP_SERVICES',
    jsonObject(),
    'not used',
    'Bound services, set by Cloud Foundry and its relatives.',
  ),
  vcapApplication: optional(
    'VCAP_APPLICATION',
    jsonObject(),
    'not used',
    'Name and addresses of this app, set by Cloud Foundry and its relatives.',
  ),
};
