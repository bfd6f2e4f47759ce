import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram, type Ended } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

const scratch = scratchDirectory('platform');
let database: TestDatabase;
let broker: WholeBroker;
beforeAll(async () => {
  database = await openTestDatabase();
  broker = await startWholeBroker(database);
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

/** Runs a command with the variables of the broker. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const PORT = new URL(broker.url).port;
  const logins = { BROKER_PASSWORD: broker.password, OPERATOR_PASSWORD: operatorPassword };
  return runProgram(words, { PORT, ...logins, ...env }).ended;
}

async function shown(...words: readonly string[]): Promise<string> {
  const { code, output, errors } = await run(words);
  expect({ words, code, errors }).toEqual({ words, code: 0, errors: '' });
  return output;
}

async function refused(...words: readonly string[]): Promise<string> {
  const { code, output, errors } = await run(words);
  expect({ words, code, output }).toEqual({ words, code: 1, output: '' });
  return errors;
}

test('create, bind, credentials, unbind and delete carry an instance through its life by the names of people', async () => {
  expect(await shown('create', 'echo', 'large', 'life')).toMatch(
    /^life is ready\.\ndashboard {2}http\S+\/dashboard\/life\?token=\S+\n$/,
  );
  expect(await shown('create', 'echo', 'large', 'life')).toMatch(/^life was there already\.\n/);
  const bound = await shown('bind', 'life', 'app');
  expect(bound).toMatch(/^uri {4}http\S+\/services\/echo\/life\/app\?token=\S+\ntoken {2}\S+\n$/);
  expect(await shown('credentials', 'life', 'app')).toBe(bound);
  expect(JSON.parse(await shown('credentials', 'life', 'app', '--json'))).toMatchObject({
    credentials: { uri: /uri +(\S+)/.exec(bound)?.[1] },
  });
  expect(await shown('unbind', 'life', 'app')).toBe('app is removed.\n');
  expect(await shown('unbind', 'life', 'app')).toBe('app was not there.\n');
  expect(await shown('delete', 'life')).toBe('life is removed.\n');
  expect(await refused('delete', 'life')).toMatch(/^purveyor: There is no service instance with this id/);
});

test('What takes its time is waited for, and its credentials are shown when they are there', async () => {
  expect(await shown('create', 'trial-timing', 'steps', 'slow')).toBe('slow is ready.\n');
  expect(await shown('bind', 'slow', 'app')).toMatch(/^\w+ {2,}\S/);
  expect(await shown('unbind', 'slow', 'app')).toBe('app is removed.\n');
  expect(await shown('delete', 'slow')).toBe('slow is removed.\n');
});

test('The command update changes the plan by its name, and the parameters by JSON or a file', async () => {
  await shown('create', 'trial-schemas', 'draft-04', 'changing', '-p', '{"share":0.3}');
  const file = join(scratch, 'parameters.json');
  writeFileSync(file, '{"share":0.4}');
  expect(await shown('update', 'changing', '--parameters', file)).toBe('changing is updated.\n');
  const asked = await broker.ask('get', '/v2/service_instances/changing');
  expect(asked.body).toMatchObject({ parameters: { share: 0.4 } });
  expect(await refused('update', 'changing', '--plan', 'none')).toMatch(
    /^purveyor: There is no plan of trial-schemas 'none'\. There is: draft-04, draft-06\.\n$/,
  );
  await shown('delete', 'changing');
});

test.each([
  [
    ['create', 'ech', 'big_0001', 'x'],
    /^purveyor: There is no service offering 'ech'\. Did you mean 'echo'\? There is: .*echo/,
  ],
  [['create', 'echo', 'big', 'x'], /^purveyor: There is no plan of echo 'big'\. There is: large\.\n$/],
  [['create', 'echo', 'big_0001'], /^purveyor: create needs <instance>: /],
  [
    ['create', 'echo', 'big_0001', 'x', '-p', '[canary]'],
    /^purveyor: --parameters must be a JSON object\.\n$/,
  ],
  [['create', 'echo', 'big_0001', 'x', '-p', 'canary'], /--parameters must be a JSON object, or the path/],
  [['bind', 'nobody', 'app'], /^purveyor: There is no service instance with this id/],
  [['create', 'trial-schemas', 'draft-04', 'x', '-p', '{"share":"canary"}'], /'share' must be a number/],
] as const)('Refused with a sentence, and nothing is made: %j', async (words, sentence) => {
  const errors = await refused(...words);
  expect(errors).toMatch(sentence);
  expect(errors).not.toContain('canary');
  expect((await broker.ask('get', '/v2/service_instances/x')).status).toBe(404);
});

test('What has failed is told in the words of the broker, and can be deleted although platforms do not see it', async () => {
  expect(await refused('create', 'trial-failing', 'provision-made', 'broken')).toMatch(
    /^purveyor: \S.*\.\n$/,
  );
  expect(await shown('delete', 'broken')).toBe('broken is removed.\n');
});

test('Who is not known to the broker, or does not reach it, is told so', async () => {
  const { code, errors } = await run(['credentials', 'i', 'b'], { BROKER_PASSWORD: 'wrong-canary' });
  expect({ code, errors }).toEqual({
    code: 1,
    errors: `purveyor: The broker at ${broker.url} does not know this user name and password.\n`,
  });
  expect((await run(['credentials', 'i', 'b'], { PORT: '65534' })).errors).toMatch(
    /^purveyor: The broker at http:\/\/127\.0\.0\.1:65534 cannot be reached \(ECONNREFUSED\)\.\n$/,
  );
});
