import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { TlsPair } from '../../http/listener.ts';
import { codeOf } from '../../system/error-code.ts';
import { certificatesIn, unreadableFile } from './pem.ts';

/** A certificate and its key, of which it is known that they can be served. */
export interface UsablePair extends TlsPair {
  /** What clients are shown. */
  readonly certificate: X509Certificate;
}

export interface PairFiles {
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** Absent: callers are asked for no certificate. */
  readonly tlsClientCa?: string | undefined;
}

/** @throws Error with a sentence that names the option and what would be right; it holds nothing of the key */
export async function readPair({ tlsCert, tlsKey, tlsClientCa }: PairFiles, now: Date): Promise<UsablePair> {
  const cert = await textOf('TLS_CERT', tlsCert);
  const chain = chainIn(cert, tlsCert);
  const key = await textOf('TLS_KEY', tlsKey);
  const certificate = requireKeyOfFirst(chain, readKey(key, tlsKey));
  requireInForce(certificate, now);
  const clientCa = tlsClientCa === undefined ? undefined : await clientAuthorities(tlsClientCa);
  requireServable({ cert, key, clientCa });
  return { cert, key, clientCa, certificate };
}

/** One that has expired stays in the file until somebody takes it out, and vouches for nobody. */
async function clientAuthorities(file: string): Promise<readonly string[]> {
  const text = await textOf('TLS_CLIENT_CA', file);
  const found = readChain('TLS_CLIENT_CA', text, file);
  if (found.length > 0) return found.map(String);
  throw new Error(
    `TLS_CLIENT_CA ${file} holds no certificate: it must begin with -----BEGIN CERTIFICATE-----.`,
  );
}

function readChain(option: string, text: string, file: string): readonly X509Certificate[] {
  try {
    return certificatesIn(text);
  } catch (error) {
    throw new Error(`${option} ${file} holds a certificate that is damaged (${codeOf(error)}).`, {
      cause: error,
    });
  }
}

function textOf(option: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadableFile(option, file, error);
  });
}

function chainIn(text: string, file: string): readonly X509Certificate[] {
  const chain = readChain('TLS_CERT', text, file);
  if (chain.length > 0) return chain;
  const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
  const what = isKey ? 'holds a private key, and that belongs into TLS_KEY' : 'holds no certificate';
  throw new Error(`TLS_CERT ${file} ${what}: it must begin with -----BEGIN CERTIFICATE-----.`);
}

function readKey(text: string, file: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    throw new Error(
      `TLS_KEY ${file} has a passphrase, which nobody could type at a start: write it without one (openssl pkey), readable for the user of the broker alone.`,
    );
  try {
    return createPrivateKey(text);
  } catch {
    // What OpenSSL says could hold a part of it.
    throw new Error(
      `TLS_KEY ${file} holds no private key that can be read: it must be in PEM form, as -----BEGIN PRIVATE KEY-----.`,
    );
  }
}

function requireKeyOfFirst([first, ...more]: readonly X509Certificate[], key: KeyObject): X509Certificate {
  if (first?.checkPrivateKey(key)) return first;
  throw new Error(
    more.some((one) => one.checkPrivateKey(key))
      ? 'The certificate that belongs to TLS_KEY must be the first one in TLS_CERT: those of the authorities come behind it.'
      : 'TLS_KEY is not the key of the certificate in TLS_CERT: the two must belong together.',
  );
}

function requireInForce({ validFromDate, validToDate }: X509Certificate, now: Date): void {
  if (validToDate <= now)
    throw new Error(`The certificate in TLS_CERT has expired on ${dayOf(validToDate)}: renew it.`);
  if (validFromDate > now)
    throw new Error(
      `The certificate in TLS_CERT is valid from ${validFromDate.toISOString()} on only: it is early, or the clock of this machine is late.`,
    );
}

/** What OpenSSL asks beyond that, such as the length of the key. */
function requireServable(pair: TlsPair): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(`TLS_CERT and TLS_KEY cannot be served: OpenSSL says ${codeOf(error)}.`, {
      cause: error,
    });
  }
}

/** E.g. `2026-11-29`. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
