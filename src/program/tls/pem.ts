import { X509Certificate } from 'node:crypto';
import { codeOf } from '../../system/error-code.ts';

/** A sentence that names the option, the file and the cause. */
export function unreadableFile(option: string, file: string, error: unknown): Error {
  const code = codeOf(error);
  const cause = causes[code] ?? `the system says ${code}`;
  return new Error(`${option} ${file} cannot be read: ${cause}.`, { cause: error });
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is a file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its path is a link that leads to itself',
};

/** All certificates in a text, in their order. @throws Error of OpenSSL for what is none between the lines of one */
export function certificatesIn(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Nobody else vouches for it. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}
