import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable } from '../../src/system/executables.ts';
import { scratchDirectory } from './scratch-directory.ts';

/** Certificates are made by openssl. What makes them outside of jest has no `describe`. */
export const describeTls =
  findExecutable(process.env['PATH'] ?? '', 'openssl') === undefined
    ? globalThis.describe?.skip
    : globalThis.describe;

/** As files, and what is in them. */
export interface MadePair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends MadePair {
  /** @param days until it expires @param names as openssl writes them */
  issue(days?: number, names?: string): MadePair;
}

const ofThisMachine = 'DNS:localhost,IP:127.0.0.1';
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Vouches for what it issues, and for itself. */
export function createAuthority(name = 'Test authority'): Authority {
  const place = scratchDirectory('tls');
  let issued = 0;
  const at = (file: string) => join(place, file);
  const own = ['-x509', ...curve, '-days', '90', '-subj', `/CN=${name}`];
  openssl(['req', ...own, '-keyout', at('ca.key'), '-out', at('ca.crt')]);

  function issue(days = 90, names = ofThisMachine): MadePair {
    issued += 1;
    const [request, extensions, certFile, keyFile] = ['csr', 'ext', 'crt', 'key'].map((end) =>
      at(`${issued}.${end}`),
    ) as [string, string, string, string];
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl(['req', '-new', ...curve, '-subj', '/CN=test', '-keyout', keyFile, '-out', request]);
    const by = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial'];
    const term = ['-days', String(days), '-extfile', extensions];
    openssl(['x509', '-req', '-in', request, ...by, ...term, '-out', certFile]);
    return made(certFile, keyFile);
  }
  return { ...made(at('ca.crt'), at('ca.key')), issue };
}

/** Vouches for itself alone, and names this machine. */
export function selfSigned(days = 90): MadePair {
  const place = scratchDirectory('tls');
  const [certFile, keyFile] = [join(place, 'self.crt'), join(place, 'self.key')];
  const manner = [
    '-days',
    String(days),
    '-subj',
    '/CN=localhost',
    '-addext',
    `subjectAltName=${ofThisMachine}`,
  ];
  openssl(['req', '-x509', ...curve, ...manner, '-keyout', keyFile, '-out', certFile]);
  return made(certFile, keyFile);
}

function made(certFile: string, keyFile: string): MadePair {
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

export function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
