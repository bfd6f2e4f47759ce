import {
  directoryList,
  hostName,
  keyRing,
  path,
  secret,
  userName,
  webAddress,
  wholeNumber,
  yesOrNo,
} from './kinds.ts';
import { optional, standard } from './option.ts';
import { trustedProxies } from './trusted-proxies.ts';

/** Options of where the broker is, where its state is, and who may use it. */
export const servingOptions = {
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
  maxConnections: optional(
    'MAX_CONNECTIONS',
    wholeNumber(4, 1_000_000),
    'half of the files that the process may open, at most 10000',
    'Connections to this broker, at most; those without a login may have half of them, and go first.',
  ),
  trustProxy: optional(
    'TRUST_PROXY',
    trustedProxies(),
    '1 where VCAP_APPLICATION is set, as platforms do, else 0',
    "How many proxies in front tell the caller's address truly, or where they are: addresses separated by commas, as `10.0.0.0/8` or `loopback`.",
  ),
  tlsCert: optional(
    'TLS_CERT',
    path(),
    'what is listened on speaks plain HTTP',
    'File with the certificate of what is listened on, in PEM form, and those of the authorities between behind it; with TLS_KEY.',
  ),
  tlsKey: optional(
    'TLS_KEY',
    path(),
    'none',
    'File with the private key of TLS_CERT, in PEM form and without a passphrase. Both files are read again when they change.',
  ),
  tlsClientCa: optional(
    'TLS_CLIENT_CA',
    path(),
    'callers are asked for no certificate',
    'File with certificates of authorities, in PEM form, whose client certificates may log in as PRINCIPALS_FILE says; with TLS_CERT. It is read again when it changes.',
  ),
  brokerCa: optional(
    'BROKER_CA',
    path(),
    'TLS_CERT, which is enough for one that signed itself',
    'File with certificates of authorities, in PEM form, that commands and other brokers trust beside the usual ones when they ask this broker.',
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
    'Connections to the database, at most; beside them two for brief reads and for writes of the same moment (five at most), and one that hears what other brokers tell.',
  ),
  databasePrepare: standard(
    'DATABASE_PREPARE',
    yesOrNo(),
    'true',
    'Keep statements prepared in the database. Behind a pooler that keeps none, the broker goes on without by itself.',
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
  catalogDirs: optional(
    'CATALOG_DIR',
    directoryList(),
    'catalog, or where there is none, what comes with the program',
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
};

/** What is said of TLS must be whole. */
export function halfOfTls({
  tlsCert,
  tlsKey,
  tlsClientCa,
}: Readonly<Record<'tlsCert' | 'tlsKey' | 'tlsClientCa', string | undefined>>): readonly string[] {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [missing, set] = tlsCert === undefined ? ['TLS_CERT', 'TLS_KEY'] : ['TLS_KEY', 'TLS_CERT'];
    return [`${missing} is missing: ${set} is set, and a certificate needs its key.`];
  }
  if (tlsClientCa === undefined || tlsCert !== undefined) return [];
  return ['TLS_CERT is missing: TLS_CLIENT_CA is set, and certificates are shown by TLS alone.'];
}
