import {
  directoryList,
  durationOption,
  hostName,
  jsonObject,
  keyRing,
  oneOf,
  path,
  secret,
  userName,
  webAddress,
  wholeNumber,
  yesOrNo,
} from './kinds.ts';
import { nodeOptions } from './node.ts';
import { optional, standard } from './option.ts';
import { tsuruOptions } from '../protocols/tsuru/options.ts';

/** All options, in the order in which people should meet them; README, `--help` and Config are made from this. */
export const options = {
  port: standard('PORT', wholeNumber(0, 65535), '8080', 'Port to listen on; 0 takes a free one.'),
  host: optional(
    'HOST',
    hostName(),
    '127.0.0.1, or 0.0.0.0 where VCAP_APPLICATION is set, as platforms do',
    'Address to listen on; 0.0.0.0 to be reached from other machines.',
  ),
  publicUrl: optional(
    'PUBLIC_URL',
    webAddress(),
    'https:// and the first address in VCAP_APPLICATION, else the address listened on',
    'Where platforms and applications reach this broker; may have a path.',
  ),
  databaseUrl: optional(
    'DATABASE_URL',
    secret(),
    'a Postgres bound in VCAP_SERVICES, else, except on a platform, an embedded one',
    'The Postgres database that holds the state; several brokers may share it.',
  ),
  databasePool: standard(
    'DATABASE_POOL',
    wholeNumber(1, 1000),
    '10',
    'Connections to the database, at most; one more hears what other brokers tell.',
  ),
  dataDir: standard(
    'DATA_DIR',
    path(),
    '.data',
    'Directory of the embedded database and of what the first start makes.',
  ),
  pgBinDir: optional(
    'PG_BIN_DIR',
    path(),
    'those that npm installed, else those of the system',
    'Directory of the Postgres programs that are run as the embedded database.',
  ),
  catalogDirs: standard(
    'CATALOG_DIR',
    directoryList(),
    'catalog',
    'Directories of offering files, separated by colons.',
  ),
  username: standard('BROKER_USERNAME', userName(), 'broker', 'Name that platforms log in with.'),
  password: optional(
    'BROKER_PASSWORD',
    secret(),
    'made once and kept in DATA_DIR; required with an external database',
    'Password that platforms log in with.',
  ),
  username2: optional(
    'BROKER_USERNAME_2',
    userName(),
    'BROKER_USERNAME',
    'Name of a second login, valid beside the first while passwords are changed.',
  ),
  password2: optional(
    'BROKER_PASSWORD_2',
    secret(),
    'there is no second login',
    'Password of the second login.',
  ),
  encryptionKeys: optional(
    'ENCRYPTION_KEYS',
    keyRing(),
    'made once and kept in DATA_DIR; required with an external database',
    'Keys of what lies encrypted in the database, as `id:key` separated by commas: the first encrypts, all decrypt; a key is 32 bytes in base64.',
  ),
  ...nodeOptions,
  ...tsuruOptions,
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
    'Operations carried at once beside requests; 0 leaves them to other brokers.',
  ),
  history: standard(
    'HISTORY',
    durationOption('1m', '3650d'),
    '30d',
    'How long operations that ended are remembered.',
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
