import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { PoolConfig } from 'pg';
import { codeOf } from '../system/error-code.ts';

/** What a pool or a client of `pg` needs to connect. It holds the password: never log it. */
export type Connection = Pick<PoolConfig, 'connectionString' | 'ssl'>;

// We say what they mean; pg would read `require` as `verify-full`, and change its mind in its next major version.
const SSL_PARAMETERS = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];

/**
 * Turns the url of a database (postgres: or postgresql:) and the certificate of its authority, if one came with it,
 * into a connection. `sslmode` means what it means to psql: `require` encrypts and trusts any certificate, unless
 * there is an authority to check it against; `verify-ca` checks it, `verify-full` checks the host name also, and is
 * the default with an authority. `no-verify` trusts any, `disable` does not encrypt, and neither is the default
 * without. `allow` and `prefer`, which leave the choice to the server, are refused. No error repeats the url.
 */
export function readConnection(url: string, source: string, authority?: string): Connection {
  if (!isPostgresUrl(url)) throw new Error(`${source} is not a url of the form ${FORM}.`);
  const [address, query] = splitOnce(url, '?');
  const parameters = new URLSearchParams(query);
  const ca = authority ?? readFile(parameters, 'sslrootcert', source);
  const keys = {
    cert: readFile(parameters, 'sslcert', source),
    key: readFile(parameters, 'sslkey', source),
  };
  const ssl = readSsl(readMode(parameters, ca), source, ca);
  for (const name of SSL_PARAMETERS) parameters.delete(name);
  return {
    connectionString: parameters.size > 0 ? `${address}?${parameters.toString()}` : address,
    ssl: ssl && { ...ssl, ...(keys.cert && keys) },
  };
}

const FORM = 'postgres://user:password@host:5432/database (special characters percent-encoded)';

/** Whether pg can connect to this url. */
export function isPostgresUrl(url: string): boolean {
  if (!/^postgres(ql)?:\/\//i.test(url)) return false;
  // A url of a unix socket has no host, which the URL class refuses beside a user.
  const parsed = URL.parse(url.replace('@/', '@localhost/'));
  // What comes before a second @ is the rest of a password that was not encoded.
  return parsed !== null && !`${parsed.pathname}${parsed.hash}`.includes('@');
}

function readMode(parameters: URLSearchParams, ca: string | undefined): string {
  const [mode, ssl] = [parameters.get('sslmode'), parameters.get('ssl')];
  if (mode) return mode;
  if (ssl === 'no-verify') return ssl;
  if (ssl === null || ssl === '') return ca ? 'verify-full' : 'disable';
  return ['true', '1'].includes(ssl) ? 'verify-full' : 'disable';
}

function readSsl(mode: string, source: string, ca: string | undefined): false | ConnectionOptions {
  const trusted = ca ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: true };
  switch (mode) {
    case 'disable':
      return false;
    case 'no-verify':
      return { rejectUnauthorized: false };
    case 'require':
      return ca ? { ...trusted, checkServerIdentity: acceptAnyName } : { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...trusted, checkServerIdentity: acceptAnyName };
    case 'verify-full':
      return trusted;
    default:
      throw new Error(
        `${source} has an sslmode that is not one of disable, no-verify, require, verify-ca, verify-full.`,
      );
  }
}

function acceptAnyName(): undefined {
  return undefined;
}

function readFile(parameters: URLSearchParams, parameter: string, source: string): string | undefined {
  const path = parameters.get(parameter);
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The path may be the certificate or the key itself, in the wrong place; so may be what the cause says.
    throw new Error(`${source}: the file that its ${parameter} names cannot be read (${codeOf(error)}).`);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
