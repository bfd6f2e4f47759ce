import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { certificatesIn, unreadableFile } from './pem.ts';

/** What says which authorities are trusted beside the usual ones. */
export interface TrustOptions {
  readonly brokerCa: string | undefined;
  readonly tlsCert: string | undefined;
}

/**
 * Trusts from now on, in all that this process asks by TLS, the authorities of BROKER_CA; without it what TLS_CERT
 * holds, where this user can read it: a certificate that signed itself is its own authority.
 * @throws Error with a sentence that names BROKER_CA and what would be right
 */
export function trustAuthorities({ brokerCa, tlsCert }: TrustOptions): void {
  // By name it could not even be imported where there is none: Node has it since 22.19.
  if (!('setDefaultCACertificates' in tls)) {
    if (brokerCa === undefined) return;
    throw new Error('BROKER_CA needs Node 22.19 or later: use NODE_EXTRA_CA_CERTS in its place.');
  }
  if (brokerCa !== undefined) trustAlso(authoritiesIn(brokerCa));
  else if (tlsCert !== undefined) trustAlso(authoritiesIfReadable(tlsCert));
}

function authoritiesIn(file: string): readonly string[] {
  const found = certificates(textIn(file));
  if (found.length === 0)
    throw new Error(
      `BROKER_CA ${file} holds no certificate that can be read: it must begin with -----BEGIN CERTIFICATE-----.`,
    );
  return found;
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadableFile('BROKER_CA', file, error);
  }
}

function authoritiesIfReadable(file: string): readonly string[] {
  try {
    return certificates(readFileSync(file, 'utf8'));
  } catch {
    // Whoever runs a command may be somebody else than the broker: then the exchange says that nobody vouches for it.
    return [];
  }
}

function certificates(text: string): readonly string[] {
  try {
    return certificatesIn(text).map(String);
  } catch {
    return [];
  }
}

let usual: readonly string[] | undefined;

function trustAlso(authorities: readonly string[]): void {
  if (authorities.length === 0) return;
  usual ??= tls.getCACertificates('default');
  tls.setDefaultCACertificates([...usual, ...authorities]);
}
