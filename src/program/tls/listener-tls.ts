import type { X509Certificate } from 'node:crypto';
import type { HttpServer } from '../../http/server.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Config } from '../config.ts';
import { openCertificate, type CertificateWatch } from './certificate.ts';
import { unnamedPlaces } from './names.ts';
import type { UsablePair } from './pair.ts';
import { isSelfSigned } from './pem.ts';
import { trustAuthorities } from './trust.ts';

/** What there is of TLS for what is listened on. */
export interface ListenerTls {
  /** Absent: plain HTTP. */
  readonly pair: UsablePair | undefined;
  /** A file with the authorities that callers have to trust, where they may not do so by themselves. */
  readonly authority: string | undefined;
  /** Follows the files from now on, and tells where the certificate will be refused. */
  follow(server: HttpServer, address: string): void;
  /** Reads all files again; what cannot be used is told. */
  reload(): Promise<void>;
  close(): void;
}

interface TlsParts {
  readonly config: Config;
  readonly log: Pick<Log, 'note'>;
  readonly onServed: (certificate: X509Certificate) => void;
}

/** @throws Error with a sentence that names the option, when a file cannot be used */
export async function openTls({ config, log, onServed }: TlsParts): Promise<ListenerTls> {
  const { tlsCert, tlsKey, tlsClientCa, brokerCa } = config;
  trustAuthorities(config);
  const served = (certificate: X509Certificate) => {
    onServed(certificate);
    // The one that vouches for itself may be another one now.
    trustAgain();
  };
  const files = tlsCert === undefined || tlsKey === undefined ? undefined : { tlsCert, tlsKey, tlsClientCa };
  const opened = files && (await openCertificate({ files, log, onServed: served }));
  let watch: CertificateWatch | undefined;

  function trustAgain(): void {
    try {
      trustAuthorities(config);
    } catch (error) {
      log.note('error', `${(error as Error).message} What was trusted before is trusted still.`);
    }
  }

  return {
    pair: opened?.pair,
    authority: brokerCa ?? (opened && isSelfSigned(opened.pair.certificate) ? tlsCert : undefined),
    follow(server, address) {
      watch = opened?.follow(server);
      const unnamed = opened ? unnamedPlaces(opened.pair.certificate, address, config) : [];
      for (const sentence of unnamed) log.note('warn', sentence);
    },
    async reload() {
      trustAgain();
      await watch?.reload();
    },
    close: () => watch?.close(),
  };
}
