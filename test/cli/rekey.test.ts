import { readFileSync, writeFileSync } from 'node:fs';
import { runProgram } from '../support/run-program.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

const { scratch, start } = startedBrokers();

const key = (id: string) => `${id}:${Buffer.alloc(32, id).toString('base64')}`;
const body = { service_id: 'echo_service', plan_id: 'big_0001', organization_guid: 'o', space_guid: 's' };

/** Asking for the same instance again makes the broker read what lies encrypted. */
async function provisionWith(keys: string): Promise<number> {
  const running = start({ ENCRYPTION_KEYS: keys, BROKER_PASSWORD: 'p' });
  const url = `${await addressOf(running)}/v2/service_instances/i1`;
  const { status } = await call('broker:p', url, { method: 'PUT', body });
  await stop(running);
  return status;
}

test('After a rekey older keys are no longer needed', async () => {
  expect(await provisionWith(key('old'))).toBe(201);
  const env = { DATA_DIR: `${scratch}/data`, ENCRYPTION_KEYS: `${key('new')},${key('old')}` };
  const refused = await runProgram(['rekey'], env).ended;
  expect([refused.code, refused.errors]).toEqual([
    1,
    "purveyor: Nothing was changed: no broker has been started with the key 'new' yet, so it may be kept nowhere " +
      'but in this command, and all would be lost with it. Start the brokers with it first, or say --saved when it ' +
      'is kept in a safe place.\n',
  ]);
  expect(refused.output).toMatch(
    /"level":"warn","message":"command failed","command":"rekey","protocol":"cli","principal":"[^"]+","requestId":"[^"]+","ms":\d+,"failure":"conflict","sentence":"Nothing was changed: no broker/,
  );
  expect(await provisionWith(env.ENCRYPTION_KEYS)).toBe(200);
  const first = await runProgram(['rekey'], env).ended;
  expect(first).toMatchObject({ code: 0, errors: '' });
  expect(first.output).toMatch(
    /"message":"command succeeded","command":"rekey","records":1,"unreadable":0,"protocol":"cli","principal":"[^"]+","requestId":"[^"]+","ms":\d+\}/,
  );
  expect(first.output).toContain('Encrypted 1 record with the newest key. Older keys are no longer needed.');
  expect(await provisionWith(key('new'))).toBe(200);
});

test('Rekey: who says that the key is kept need not start a broker with it first; nor who has put it in the file', async () => {
  const dir = `${scratch}/kept`;
  const made = start({ DATA_DIR: dir, BROKER_PASSWORD: 'p' });
  await addressOf(made);
  await stop(made);
  const file = `${dir}/encryption-keys`;
  const own = readFileSync(file, 'utf8').trim();
  const env = { DATA_DIR: dir, ENCRYPTION_KEYS: `${key('new')},${own}` };
  expect((await runProgram(['rekey', '--saved'], env).ended).code).toBe(0);
  writeFileSync(file, `${key('newer')},${key('new')}\n`);
  const { code, output } = await runProgram(['rekey'], { DATA_DIR: dir }).ended;
  expect([code, output]).toEqual([0, expect.stringContaining('Older keys are no longer needed.')]);
});

test('With a key that is wrong or missing neither rekey nor a broker touches the database', async () => {
  const dir = `${scratch}/other`;
  const made = start({ DATA_DIR: dir, BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: key('a') });
  await addressOf(made);
  await stop(made);
  const wrong = Buffer.alloc(32, 'wrong').toString('base64');
  const sentences = {
    [`a:${wrong}`]: "ENCRYPTION_KEYS: key 'a' is not the key that this database was written with.",
    [`b:${wrong}`]: "ENCRYPTION_KEYS lacks key 'a', under which this database has records.",
  };
  for (const [keys, sentence] of Object.entries(sentences)) {
    for (const command of ['serve', 'rekey']) {
      const env = { PORT: '0', DATA_DIR: dir, BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: keys };
      const { code, output, errors } = await runProgram([command], env).ended;
      expect(code).toBe(1);
      expect(errors).toContain(`purveyor: ${sentence}`);
      expect(output + errors).not.toContain(wrong);
    }
  }
  const again = start({ DATA_DIR: dir, BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: key('a') });
  await addressOf(again);
  await stop(again);
});

test('The command rekey says so when the database cannot be reached', async () => {
  const env = {
    DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/d',
    BROKER_PASSWORD: 'p',
    ENCRYPTION_KEYS: key('new'),
  };
  const { code, output, errors } = await runProgram(['rekey'], env).ended;
  expect(code).toBe(1);
  expect(errors).toMatch(/^purveyor: The database cannot be used: .*cannot reach its database/);
  expect(output + errors).not.toContain('canary');
});
