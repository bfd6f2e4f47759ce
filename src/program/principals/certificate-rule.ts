import { isObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { type Finding, mistake } from '../../catalog/problem.ts';
import type { CallerCertificate, CertificateCheck } from '../../protocols/protocol.ts';
import { requireKeys } from './fields.ts';

/** Which certificates are somebody's. */
export interface CertificateRule {
  /** All attributes of the subject, sorted, such as `CN=cc`; absent: any subject. */
  readonly subject?: readonly string[];
  /** One of its names, such as `DNS:cc.example.com`; absent: any. */
  readonly san?: string;
}

const kinds = ['DNS', 'URI', 'email', 'IP'];

/** Undefined where none is said, or it is wrong. */
export function certificateIn(
  { certificate }: Readonly<Record<string, unknown>>,
  at: string,
  found: Finding[],
): CertificateRule | undefined {
  if (certificate === undefined) return undefined;
  const place = positionIn(at, 'certificate');
  if (!isObject(certificate)) return void found.push(mistake(place, 'This must be an object.'));
  requireKeys(certificate, place, ['subject', 'san'], found);
  const { subject, san } = certificate;
  if (subject === undefined && san === undefined)
    return void found.push(mistake(place, 'It must say subject or san: else every certificate would do.'));
  const attributes = typeof subject === 'string' ? attributesIn(subject) : undefined;
  if (subject !== undefined && !attributes)
    found.push(
      mistake(
        positionIn(place, 'subject'),
        'This must be all of its subject, such as CN=cloud-controller,O=acme.',
      ),
    );
  if (san !== undefined && !isName(san))
    found.push(
      mistake(
        positionIn(place, 'san'),
        'This must be one of its names with the kind before it: DNS:, URI:, email: or IP:.',
      ),
    );
  return { subject: attributes, san: isName(san) ? san : undefined };
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    kinds.some((kind) => value.startsWith(`${kind}:`) && value.length > kind.length + 1)
  );
}

/** A comma that belongs to a value has a backslash before it (RFC 4514). */
function attributesIn(text: string): readonly string[] | undefined {
  const parts = [...text.matchAll(/(?:\\.|[^,\\])+/g)].map(([part]) =>
    part.trim().replaceAll(/\\(.)/g, '$1'),
  );
  return parts.length > 0 && parts.every((part) => /^[A-Za-z][\w.]*=./.test(part))
    ? parts.toSorted()
    : undefined;
}

/** Who logs in by certificates. */
export interface CertificateLogin {
  readonly username: string;
  readonly platform?: string | undefined;
  readonly readsOnly?: boolean | undefined;
  readonly rule: CertificateRule;
}

/** Whom a certificate is of: the first in the list whose rule it meets. */
export function checkCertificates(logins: readonly CertificateLogin[]): CertificateCheck {
  return (certificate) => {
    const found = logins.find(({ rule }) => meets(certificate, rule));
    return found && { name: found.username, platform: found.platform, readsOnly: found.readsOnly };
  };
}

function meets({ subject, names }: CallerCertificate, rule: CertificateRule): boolean {
  const isSubject =
    rule.subject === undefined || rule.subject.join('\n') === subject.split('\n').toSorted().join('\n');
  return isSubject && (rule.san === undefined || namesIn(names).includes(rule.san));
}

/** Node writes a name that could be mistaken for several as a text of JSON. */
function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/([A-Za-z ]+):("(?:\\.|[^"\\])*"|[^,]*)/g)].map(([, kind = '', value = '']) => {
    const shown = kind.trim() === 'IP Address' ? 'IP' : kind.trim();
    return `${shown}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`;
  });
}
