import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, describeTls, selfSigned, type MadePair } from '../../support/certificates.ts';
import { runProgram, type Running } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { startedBrokers, stop } from '../../support/started-brokers.ts';

/** The program with TLS, as operators and platforms meet it. */

const { start } = startedBrokers();
const logins = { BROKER_PASSWORD: 'a-password', OPERATOR_PASSWORD: 'an-operator' };

function curl(...args: readonly string[]): Promise<{ readonly stdout: string }> {
  return promisify(execFile)('curl', ['-sS', ...args]);
}

async function portOf(running: Running): Promise<string> {
  const [, port = ''] = await running.shows(/listens on https:\/\/127\.0\.0\.1:(\d+)[^]*\/v2\/catalog\n/);
  return port;
}

function command(words: readonly string[], env: Readonly<Record<string, string>>) {
  return runProgram(words, { ...logins, ...env }).ended;
}

function put({ cert, key }: MadePair, at: { readonly TLS_CERT: string; readonly TLS_KEY: string }): void {
  for (const [file, text] of [
    [at.TLS_KEY, key],
    [at.TLS_CERT, cert],
  ] as const) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}

describeTls('A broker with TLS_CERT and TLS_KEY', () => {
  test('The banner of a broker with a certificate that signed itself has a line that works when it is pasted, and commands work without more.', async () => {
    const { certFile: TLS_CERT, keyFile: TLS_KEY } = selfSigned();
    const running = start({ ...logins, TLS_CERT, TLS_KEY });
    const PORT = await portOf(running);
    const [, line = ''] = await running.shows(/^ {2}curl (.*)$/m);
    const words = line
      .replace('-u broker', '-u broker:a-password')
      .replaceAll("'", '')
      .split(/ (?!2)/);
    expect((await curl(...words)).stdout).toMatch(/^\{"services":/);

    const made = await command(['create', 'echo', 'large', 'e1'], { PORT, TLS_CERT });
    expect(made).toMatchObject({ code: 0, errors: '' });
    expect(made.output).toMatch(new RegExp(`^dashboard {2}https://127.0.0.1:${PORT}/dashboard/e1`, 'm'));
    expect((await stop(running)).code).toBe(0);
  });

  test('A new pair is shown after SIGHUP or by itself, a bad one is told, and the metrics say when it expires.', async () => {
    const authority = createAuthority();
    const place = scratchDirectory('served');
    const at = { TLS_CERT: join(place, 'tls.crt'), TLS_KEY: join(place, 'tls.key') };
    put(authority.issue(10), at);
    const running = start({ ...logins, ...at, LOG_FORMAT: 'json' });
    const [, PORT = ''] = await running.shows(/"address":"https:\/\/127\.0\.0\.1:(\d+)"/);
    await running.shows(/The certificate in TLS_CERT expires on \d{4}-\d\d-\d\d, in 9 days: renew it\./);
    const url = `https://127.0.0.1:${PORT}/metrics`;
    const expiry = async () => {
      const { stdout } = await curl('--cacert', authority.certFile, '-u', 'broker:a-password', url);
      return Number(/^purveyor_tls_certificate_expiry_timestamp_seconds (\d+)$/m.exec(stdout)?.[1]);
    };
    const inDays = (days: number) => expect.closeTo(Date.now() / 1000 + days * 86_400, -3);
    expect(await expiry()).toEqual(inDays(10));

    put({ ...authority.issue(40), key: 'broken' } as MadePair, at);
    running.signal('SIGHUP');
    await running.shows(/TLS_KEY \S+ holds no private key .*The certificate from before stays in use\./);
    expect(await expiry()).toEqual(inDays(10));

    put(authority.issue(80), at);
    await running.shows(/certificate loaded/);
    expect(await expiry()).toEqual(inDays(80));
    expect((await stop(running)).code).toBe(0);
  });

  test('A broker does not start with a certificate that has expired, nor with half a pair.', async () => {
    const { certFile: TLS_CERT, keyFile: TLS_KEY } = createAuthority().issue(-1);
    const expired = await start({ TLS_CERT, TLS_KEY }).ended;
    expect(expired.code).toBe(1);
    expect(expired.errors).toMatch(
      /^purveyor: The certificate in TLS_CERT has expired on \S+: renew it\.\n$/,
    );
    const half = await start({ TLS_CERT }).ended;
    expect(half).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/TLS_KEY is missing: TLS_CERT is set/),
    });
  });
});
