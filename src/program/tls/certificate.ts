import type { X509Certificate } from 'node:crypto';
import type { HttpServer } from '../../http/server.ts';
import type { Log } from '../../telemetry/log.ts';
import { createLooks } from '../looks.ts';
import { dayOf, readPair, type PairFiles, type UsablePair } from './pair.ts';

/** The certificate of what is listened on, as its files are now. */
export interface ServerCertificate {
  readonly pair: UsablePair;
  /** Gives the server each new pair from now on. */
  follow(server: Pick<HttpServer, 'renew'>): CertificateWatch;
}

export interface CertificateWatch {
  /** Reads the files now, and tells at once what is wrong. */
  reload(): Promise<void>;
  close(): void;
}

interface CertificateParts {
  readonly files: PairFiles;
  readonly log: Pick<Log, 'note'>;
  /** Told of each one that is served. */
  readonly onServed: (certificate: X509Certificate) => void;
  readonly now?: () => Date;
  /** Milliseconds between looks at the files. */
  readonly lookMs?: number;
}

/** @throws Error with a sentence, as `readPair` does */
export async function openCertificate(parts: CertificateParts): Promise<ServerCertificate> {
  const { files, now = () => new Date() } = parts;
  const pair = await readPair(files, now());
  return { pair, follow: (server) => followFiles({ ...parts, now }, pair, server) };
}

/**
 * Looks at the files again and again. Two files are never changed at once, so what is wrong is told only when it is still wrong at the next look.
 */
function followFiles(
  { files, log, onServed, now, lookMs }: CertificateParts & { readonly now: () => Date },
  first: UsablePair,
  server: Pick<HttpServer, 'renew'>,
): CertificateWatch {
  let served = first;
  let wrong: string | undefined;
  let told: string | undefined;
  let isClosed = false;
  const remind = expiryTeller(log);

  function serve(pair: UsablePair): void {
    wrong = told = undefined;
    const isSame = pair.cert === served.cert && pair.key === served.key;
    if (isSame && String(pair.clientCa) === String(served.clientCa)) return;
    server.renew(pair);
    served = pair;
    onServed(pair.certificate);
    if (isSame)
      return log.note('info', 'client authorities loaded', { authorities: pair.clientCa?.length ?? 0 });
    log.note('info', 'certificate loaded', { expires: dayOf(pair.certificate.validToDate) });
  }

  function keep({ message }: Error, isAsked: boolean): void {
    if (isAsked || (message === wrong && message !== told)) {
      told = message;
      log.note('error', `${message} The certificate from before stays in use.`);
    }
    wrong = message;
  }

  async function look(isAsked: boolean): Promise<void> {
    const found = await readPair(files, now()).catch((error: Error) => error);
    if (isClosed) return;
    if (found instanceof Error) keep(found, isAsked);
    else serve(found);
    remind(served.certificate, now());
  }

  onServed(first.certificate);
  remind(first.certificate, now());
  const looks = createLooks(look, lookMs);
  return {
    reload: () => looks.reload(),
    close() {
      isClosed = true;
      looks.close();
    },
  };
}

const dayMs = 86_400_000;
/** Days before the end in which it is told. */
const soon = 30;

/** Tells once a day of a certificate that expires soon, or has expired. */
function expiryTeller(log: Pick<Log, 'note'>): (certificate: X509Certificate, now: Date) => void {
  let told: string | undefined;
  return function remind({ validToDate, fingerprint256 }, now) {
    const days = Math.floor((validToDate.getTime() - now.getTime()) / dayMs);
    const matter = `${fingerprint256} ${days}`;
    if (days >= soon || matter === told) return;
    told = matter;
    const day = dayOf(validToDate);
    if (days < 0)
      log.note(
        'error',
        `The certificate in TLS_CERT has expired on ${day}, and clients refuse it: renew it.`,
      );
    else log.note('warn', `The certificate in TLS_CERT expires on ${day}, ${inDays(days)}: renew it.`);
  };
}

function inDays(days: number): string {
  if (days === 0) return 'in less than a day';
  return days === 1 ? 'in a day' : `in ${days} days`;
}
