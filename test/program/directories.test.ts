import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readConfig } from '../../src/program/config.ts';
import { troubleWith } from '../../src/system/usable-directory.ts';
import { forgottenAddress, requireDirectories } from '../../src/program/opening/directories.ts';
import { unprotectedListener } from '../../src/program/opening/listen.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let place: string;
beforeEach(() => {
  place = scratchDirectory('directories');
  writeFileSync(join(place, 'file'), 'x');
  symlinkSync('gone', join(place, 'nowhere'));
});

function look(env: Readonly<Record<string, string>>): void {
  requireDirectories(readConfig({ NODE_ROLE: 'true', ...env }));
}

test('A directory that is not there is made, and nothing is left in it.', () => {
  look({ DATA_DIR: join(place, 'deep', 'data') });
  expect(readdirSync(join(place, 'deep', 'data'))).toEqual([]);
  look({ DATA_DIR: join(place, 'data'), NODE_DIR: join(place, 'far', 'node') });
  expect(existsSync(join(place, 'far', 'node'))).toBe(false);
});

test.each([
  ['DATA_DIR', 'file', 'it is a file, and must be a directory'],
  ['DATA_DIR', 'file/below', 'a part of its path is a file'],
  ['NODE_DIR', 'file', 'it is a file, and must be a directory'],
  ['DATA_DIR', 'nowhere', 'there is something in its way'],
  ['DATA_DIR', 'nowhere/below', 'there is something in its way'],
  // Where no directory can be made by anybody: what makes all of a path at once may try for ever.
  ['DATA_DIR', '/proc/nowhere', 'its path leads nowhere, or to where no directory can be made'],
  ['DATA_DIR', '/proc/nowhere/below/it', 'its path leads nowhere, or to where no directory can be made'],
])('%s %s: the sentence names option, path and cause.', (option, path, cause) => {
  const directory = resolve(place, path);
  const env = { DATA_DIR: join(place, 'data'), [option]: directory };
  expect(() => look(env)).toThrow(`${option} ${directory} cannot be used: ${cause}.`);
});

test.each([
  ['EACCES', 'this user may not write there'],
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'its file system is full'],
])('%s is told in words.', (code, clause) => {
  expect(troubleWith(place, Object.assign(new Error(code), { code }))).toBe(clause);
});

test.each([
  [{ HOST: '0.0.0.0' }, /HOST is 0\.0\.0\.0.*PUBLIC_URL.*NODE_HOST/],
  [{ HOST: '::', PUBLIC_URL: 'http://broker.example' }, /HOST is ::.*set NODE_HOST/],
  [{ HOST: '0.0.0.0', NODE_HOST: '192.0.2.1' }, /set PUBLIC_URL/],
])('%j is told to be reached by nobody else.', (env, sentence) => {
  expect(forgottenAddress(readConfig({ NODE_ROLE: 'true', ...env }))).toMatch(sentence);
});

test.each([
  { HOST: '127.0.0.1' },
  {},
  { HOST: '0.0.0.0', PUBLIC_URL: 'http://broker.example', NODE_HOST: '192.0.2.1' },
  { HOST: '0.0.0.0', PUBLIC_URL: 'http://broker.example', NODE_ROLE: 'false' },
])('%j forgets nothing.', (env) => {
  expect(forgottenAddress(readConfig({ NODE_ROLE: 'true', ...env }))).toBeUndefined();
});

const tls = { TLS_CERT: '/cert', TLS_KEY: '/key' };
const onPlatform = {
  VCAP_APPLICATION: '{}',
  DATABASE_URL: 'postgres://u:p@db/x',
  BROKER_PASSWORD: 'p',
  ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
};

test.each<[boolean, Readonly<Record<string, string>>]>([
  [true, { HOST: '0.0.0.0' }],
  [true, { HOST: '192.0.2.1', PUBLIC_URL: 'https://broker.example' }],
  [true, { ...onPlatform, TRUST_PROXY: '0' }],
  [false, { HOST: '0.0.0.0', ...tls }],
  [false, { HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.0/8' }],
  [false, { HOST: 'localhost' }],
  [false, onPlatform],
])('The start warns of passwords that cross the network unencrypted (%s) with %j.', (isTold, env) => {
  const sentence = unprotectedListener(readConfig(env));
  expect(sentence !== undefined).toBe(isTold);
  if (isTold) expect(sentence).toMatch(/TLS_CERT and TLS_KEY, or TRUST_PROXY/);
});
