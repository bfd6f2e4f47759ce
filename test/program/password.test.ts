import { readConfig } from '../../src/program/config.ts';
import { findDatabase } from '../../src/program/opening/open-database.ts';

test.each([
  ['no password, so none is hidden', 'postgres://someone@127.0.0.1:1/d', []],
  ['a password, which is hidden', 'postgres://someone:hunter22@127.0.0.1:1/d', ['hunter22']],
])("A database's address may have %s.", async (_title, url, expected) => {
  const hidden: string[] = [];
  const config = readConfig({
    DATABASE_URL: url,
    BROKER_PASSWORD: 'given',
    ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
  });
  await findDatabase({
    config,
    note: () => undefined,
    hide: (secrets) => void hidden.push(...secrets),
  });
  expect(hidden).toEqual(expected);
});
