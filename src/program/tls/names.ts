import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../../config/loopback.ts';
import type { Config } from '../config.ts';

type Told = Pick<Config, 'publicUrl' | 'trustProxy' | 'externalDatabase' | 'node' | 'nodeHost' | 'nodeUrl'>;

/**
 * Where clients are sent to although the certificate does not name it, so that they will refuse it: a sentence for each.
 * @param address that is listened on
 */
export function unnamedPlaces(certificate: X509Certificate, address: string, told: Told): readonly string[] {
  const { publicUrl, trustProxy, externalDatabase, node, nodeHost, nodeUrl } = told;
  const isAskedByOthers = node && externalDatabase && nodeUrl === undefined && !isLoopback(nodeHost);
  // A proxy in front may have a certificate of its own.
  const isOurs = publicUrl === undefined || (trustProxy === 0 && publicUrl.startsWith('https:'));
  const places = [
    ...(isOurs ? [['PUBLIC_URL', hostOf(publicUrl ?? address)] as const] : []),
    ...(isAskedByOthers ? [['NODE_URL', nodeHost] as const] : []),
  ];
  return places
    .filter(([, host]) => !isFor(certificate, host))
    .map(
      ([option, host]) =>
        `The certificate in TLS_CERT is not for ${host}, where ${option} sends callers, and they will refuse it: set ${option} to an address that it names.`,
    );
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function isFor(certificate: X509Certificate, host: string): boolean {
  const found = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return found !== undefined;
}

/**
 * May browsers be told to come to the host of this broker by TLS alone? That counts for all ports, so not where
 * instances have theirs, and nobody takes it of an address.
 */
export function isStrict({ tlsCert, publicUrl, node, nodeHost }: Config): boolean {
  if (tlsCert === undefined || !publicUrl?.startsWith('https:')) return false;
  const host = hostOf(publicUrl);
  return isIP(host) === 0 && host !== 'localhost' && !(node && host === nodeHost);
}
