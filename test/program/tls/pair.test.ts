import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPair } from '../../../src/program/tls/pair.ts';
import {
  createAuthority,
  describeTls,
  openssl,
  type Authority,
  type MadePair,
} from '../../support/certificates.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

describeTls('TLS_CERT and TLS_KEY', () => {
  const place = scratchDirectory('pair');
  let authority: Authority;
  let pair: MadePair;
  beforeAll(() => {
    authority = createAuthority();
    pair = authority.issue();
  });

  function file(name: string, text: string): string {
    const path = join(place, name);
    writeFileSync(path, text);
    return path;
  }

  function read(tlsCert: string, tlsKey: string, now = new Date()) {
    return readPair({ tlsCert, tlsKey }, now);
  }

  test('TLS_CERT may hold the chain behind the certificate, and text between.', async () => {
    const chain = file('chain', `the broker's\n${pair.cert}\nits authority's\n${authority.cert}`);
    const { certificate } = await read(chain, pair.keyFile);
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
  });

  test.each(['rsa:2048', 'ed25519'])('A key of %s is taken.', async (algorithm) => {
    const [key, cert] = [join(place, `${algorithm}.key`), join(place, `${algorithm}.crt`)];
    openssl(['req', '-x509', '-newkey', algorithm, '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', cert]);
    expect((await read(cert, key)).certificate.subject).toBe('CN=x');
  });

  test('A certificate that is out of its time is refused with the day.', async () => {
    const expired = authority.issue(-1);
    await expect(read(expired.certFile, expired.keyFile)).rejects.toThrow(
      /^The certificate in TLS_CERT has expired on \d{4}-\d\d-\d\d: renew it\.$/,
    );
    await expect(read(pair.certFile, pair.keyFile, new Date('2001-01-01'))).rejects.toThrow(
      /^The certificate in TLS_CERT is valid from \S+ on only/,
    );
  });

  interface Given {
    readonly cert?: string;
    readonly key?: string;
  }

  test.each<[string, () => Given, RegExp]>([
    [
      'no file',
      () => ({ cert: '/nowhere/cert' }),
      /^TLS_CERT \/nowhere\/cert cannot be read: there is no such file\.$/,
    ],
    [
      'no key file',
      () => ({ key: join(place, 'none') }),
      /^TLS_KEY \S+ cannot be read: there is no such file\.$/,
    ],
    ['a directory', () => ({ key: place }), /^TLS_KEY \S+ cannot be read: it is a directory\.$/],
    [
      'no PEM',
      () => ({ cert: file('der', '0\x82\x01') }),
      /^TLS_CERT \S+ holds no certificate: it must begin/,
    ],
    [
      'the two exchanged',
      () => ({ cert: pair.keyFile }),
      /^TLS_CERT \S+ holds a private key, and that belongs into TLS_KEY/,
    ],
    [
      'a damaged certificate',
      () => ({ cert: file('damaged', pair.cert.replace(/\n[^-\n]{20}/, '\n')) }),
      /^TLS_CERT \S+ holds a certificate that is damaged/,
    ],
    ['no key in it', () => ({ key: pair.certFile }), /^TLS_KEY \S+ holds no private key that can be read/],
    [
      "another's key",
      () => ({ key: authority.keyFile }),
      /^TLS_KEY is not the key of the certificate in TLS_CERT/,
    ],
    [
      'the chain upside down',
      () => ({ cert: file('upside-down', authority.cert + pair.cert) }),
      /^The certificate that belongs to TLS_KEY must be the first one in TLS_CERT/,
    ],
  ])('A pair with %s is refused with a sentence that names the option.', async (_what, given, sentence) => {
    const { cert = pair.certFile, key = pair.keyFile } = given();
    await expect(read(cert, key)).rejects.toThrow(sentence);
  });

  test.each([
    ['as PKCS #8', ['pkcs8', '-topk8']],
    ['as OpenSSL did it before', ['ec', '-aes256']],
  ])('A key with a passphrase, written %s, is refused, and what helps is said.', async (_how, command) => {
    const key = join(place, `locked-${command[0]}`);
    openssl([...command, '-in', pair.keyFile, '-passout', 'pass:a-passphrase', '-out', key]);
    await expect(read(pair.certFile, key)).rejects.toThrow(/^TLS_KEY \S+ has a passphrase.*without one/);
  });

  (process.getuid?.() === 0 ? test.skip : test)('A key that this user may not read is told so.', async () => {
    const key = file('closed', pair.key);
    chmodSync(key, 0o000);
    await expect(read(pair.certFile, key)).rejects.toThrow(/cannot be read: this user may not read it/);
  });

  test('No sentence about a key holds anything of it.', async () => {
    mkdirSync(join(place, 'secret'), { recursive: true });
    const torn = file('torn', pair.key.replace(/\n[^-\n]{10}/, '\n'));
    const [, line = ''] = pair.key.split('\n');
    await expect(read(pair.certFile, torn)).rejects.toThrow(/^(?!.*MIG)TLS_KEY/);
    await read(pair.certFile, torn).catch((error: Error) =>
      expect(String(error.stack)).not.toContain(line.slice(12)),
    );
  });
});
