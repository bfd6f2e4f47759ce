import { createAuthority, describeTls, type Authority } from '../support/certificates.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram } from '../support/run-program.ts';
import {
  operatorPassword,
  startWholeBroker,
  testPassword,
  type WholeBroker,
} from '../support/whole-broker.ts';

describeTls('Commands that ask a broker by TLS', () => {
  let authority: Authority;
  let database: TestDatabase;
  let broker: WholeBroker;
  beforeAll(async () => {
    authority = createAuthority();
    const { certFile: TLS_CERT, keyFile: TLS_KEY } = authority.issue();
    database = await openTestDatabase();
    broker = await startWholeBroker(database, { TLS_CERT, TLS_KEY });
  });
  afterAll(async () => {
    await broker.stop();
    await database.close();
  });

  function run(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const logins = { BROKER_PASSWORD: testPassword, OPERATOR_PASSWORD: operatorPassword };
    return runProgram(words, { ...logins, PUBLIC_URL: broker.url, ...env }).ended;
  }

  test('Commands that ask as a platform trust the authority in BROKER_CA, and are given addresses with https.', async () => {
    const made = await run(['create', 'echo', 'large', 'e1'], { BROKER_CA: authority.certFile });
    expect(made).toMatchObject({ code: 0, errors: '' });
    expect(made.output).toContain(`dashboard  ${broker.url}/dashboard/e1`);
    expect(broker.url).toMatch(/^https:/);
  });

  test('Commands that ask as an operator trust the authority in BROKER_CA.', async () => {
    const { code, output } = await run(['nodes'], { BROKER_CA: authority.certFile });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('NODE') });
  });

  test('The command check trusts the authority in BROKER_CA as well, and says when nobody vouches for a broker.', async () => {
    const login = ['--user', 'broker', '--password-from', 'env:BROKER_PASSWORD'];
    const words = ['check', broker.url, ...login, '--offering', 'echo', '--only', 'AUT-01'];
    const { code, output } = await run(words, { BROKER_CA: authority.certFile });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('AUT-01') });
    const refused = await run(words);
    expect(refused).toMatchObject({ code: 2, errors: expect.stringMatching(/nobody .* in BROKER_CA\.\n$/) });
  });

  const plain = () => ({ PUBLIC_URL: broker.url.replace('https:', 'http:') });
  const otherName = () => ({
    PUBLIC_URL: broker.url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    BROKER_CA: authority.certFile,
  });

  test.each<[string, readonly string[], () => Readonly<Record<string, string>>, RegExp]>([
    [
      'nobody vouches for it',
      ['nodes'],
      () => ({}),
      /^The broker cannot be trusted: nobody .* in BROKER_CA\.$/,
    ],
    [
      'nobody vouches for it, asked as a platform',
      ['delete', 'x'],
      () => ({}),
      /^The broker at https:\S+ cannot be trusted: nobody .* in BROKER_CA\.$/,
    ],
    [
      'it has another name',
      ['nodes'],
      otherName,
      /cannot be trusted: its certificate is for another name; let PUBLIC_URL/,
    ],
    ['it speaks TLS alone', ['nodes'], plain, /begins with https:\/\/\.$/],
    [
      'the authority is no file',
      ['nodes'],
      () => ({ BROKER_CA: '/nowhere' }),
      /^BROKER_CA \/nowhere cannot be read: there is no such file\.$/,
    ],
    [
      'the authority is no certificate',
      ['nodes'],
      () => ({ BROKER_CA: authority.keyFile }),
      /^BROKER_CA \S+ holds no certificate that can be read/,
    ],
  ])('Commands say what to do where %s.', async (_why, words, env, sentence) => {
    const { code, output, errors } = await run(words, env());
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(errors.replace(/^purveyor: (.*)\n$/s, '$1')).toMatch(sentence);
  });
});
