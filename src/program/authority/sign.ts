import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate as Parsed } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Authority, IssuedCertificate } from '../../broker/nodes.ts';
import { leafLife, rootLife } from './succession.ts';

/** The clocks of those who verify may be late, by this many milliseconds. */
const lateness = 3_600_000;

const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const { subtle } = webcrypto;

/** An authority of its own: signed by itself, for servers' certificates and nothing else. */
export async function createRoot(generation: number, now: Date): Promise<Authority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: `CN=Purveyor authority ${generation} ${randomBytes(4).toString('hex')}`,
      notBefore: before(now),
      notAfter: after(now, rootLife),
      keys,
      signingAlgorithm: curve,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { generation, certificate: pemOf(root), key: await keyPem(keys.privateKey) };
}

/** @param names host names and addresses; the first is the subject, as far as it has room for it */
export async function signLeaf(
  authority: Authority,
  names: readonly string[],
  now: Date,
): Promise<Omit<IssuedCertificate, 'authority' | 'roots'>> {
  const [root, keys] = [new X509Certificate(authority.certificate), await newKeys()];
  const [serial, notAfter] = [newSerial(), after(now, leafLife)];
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber: serial,
      subject: [{ CN: [(names[0] ?? '').slice(0, 64)] }],
      issuer: root.subject,
      notBefore: before(now),
      notAfter,
      publicKey: keys.publicKey,
      signingKey: await readKey(authority.key),
      signingAlgorithm: curve,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(root, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const renewAt = after(now, (leafLife * 2) / 3);
  return { certificate: pemOf(leaf), key: await keyPem(keys.privateKey), serial, notAfter, renewAt };
}

/** From when until when a certificate counts. @param certificate PEM */
export function lifeOf(certificate: string): { readonly notBefore: Date; readonly notAfter: Date } {
  const { validFrom, validTo } = new Parsed(certificate);
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return subtle.generateKey(curve, true, ['sign', 'verify']);
}

/** Positive, of 16 bytes, as RFC 5280 (4.1.2.2) wants it. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function before(now: Date): Date {
  return new Date(now.getTime() - lateness);
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await subtle.exportKey('pkcs8', key), 'PRIVATE KEY').trim()}\n`;
}

function readKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = PemConverter.decode(pem);
  if (!der) throw new Error('There is no key in the text.');
  return subtle.importKey('pkcs8', der, curve, false, ['sign']);
}
