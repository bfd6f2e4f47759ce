import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../src/program/config.ts';
import { keptSecret } from '../../../src/program/opening/secrets.ts';
import { loginsOf, readLogins } from '../../../src/protocols/tsuru/logins.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

/** Where the passwords come from that tsuru logs in with. */

const directory = scratchDirectory('tsuru');

const loginsWith = (env: Readonly<Record<string, string>>) =>
  readLogins(readConfig({ DATA_DIR: directory, ...env }), (file) =>
    keptSecret(directory, file, () => undefined),
  );

const external = {
  DATABASE_URL: 'postgres://u:p@db/purveyor',
  BROKER_PASSWORD: 'pass',
  ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 'key').toString('base64')}`,
};

test('A password that nobody chose is made once and kept beside the others.', () => {
  const tsuru = loginsWith({});
  const kept = readFileSync(join(directory, 'tsuru-password'), 'utf8').trim();
  expect(kept).toMatch(/^\w{24}$/);
  expect(loginsWith({})).toEqual(tsuru);
  expect(tsuru && loginsOf(tsuru, 'redis')).toEqual([
    { username: 'redis', password: expect.stringMatching(/^[\w-]{32}$/) },
    { username: 'redis', password: kept },
  ]);
});

test('Beside an external database none is made: other brokers could not know it.', () => {
  expect(loginsWith(external)).toBeUndefined();
  expect(loginsWith({ ...external, TSURU_PASSWORD: 'p' })).toMatchObject({ password: 'p' });
});

test("Each offering has a password made of the operator's that no other has, the same at every broker.", () => {
  const [one, other] = [1, 2].map(() => loginsWith({ ...external, TSURU_PASSWORD: 'p' }));
  if (!one || !other) throw new Error('It is not served.');
  const passwords = ['redis', 'echo', 'Redis', ''].map((offering) => loginsOf(one, offering)[0]?.password);
  expect(new Set(passwords).size).toBe(4);
  expect(loginsOf(other, 'redis')).toEqual(loginsOf(one, 'redis'));
  const another = loginsWith({ ...external, TSURU_PASSWORD: 'q' });
  const [made] = another ? loginsOf(another, 'redis') : [];
  expect(made?.password).toMatch(/^[\w-]{32}$/);
  expect(passwords).not.toContain(made?.password);
});

test('An offering has its own, or that of all, or none, and never that of an object.', () => {
  const tsuru = loginsWith({ ...external, TSURU_PASSWORDS: '{"redis":"r"}', TSURU_USERNAME: 'u' });
  if (!tsuru) throw new Error('It is not served.');
  expect(loginsOf(tsuru, 'redis')).toEqual([{ username: 'u', password: 'r' }]);
  for (const name of ['echo', 'constructor', '__proto__', '']) expect(loginsOf(tsuru, name)).toEqual([]);
});
