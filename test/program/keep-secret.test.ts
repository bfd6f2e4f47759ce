import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepSecret } from '../../src/program/opening/keep-secret.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let directory: string;
beforeEach(() => {
  directory = scratchDirectory('keep');
});

test('A secret is made once, in a file that only its owner may read', () => {
  const inside = join(directory, 'a', 'b');
  const { value, file } = keepSecret(inside, 'password', () => 'first');
  expect(value).toBe('first');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(keepSecret(inside, 'password', () => 'second').value).toBe('first');
  expect(readdirSync(inside)).toEqual(['password']);
});

test('Of two starts at once both get the secret of the first', () => {
  const { value } = keepSecret(directory, 'password', () => {
    keepSecret(directory, 'password', () => 'theirs');
    return 'ours';
  });
  expect(value).toBe('theirs');
  expect(readFileSync(join(directory, 'password'), 'utf8')).toBe('theirs\n');
  expect(readdirSync(directory)).toEqual(['password']);
});

test('An empty file of a secret is told, not overwritten', () => {
  writeFileSync(join(directory, 'password'), '');
  expect(() => keepSecret(directory, 'password', () => 'new')).toThrow(/password is empty/);
});
