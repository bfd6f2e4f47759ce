import { jest } from '@jest/globals';
import { runProgram } from '../support/run-program.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

jest.setTimeout(30_000);

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

test('after it older keys are no longer needed', async () => {
  expect(await provisionWith(key('old'))).toBe(201);
  const env = { DATA_DIR: `${scratch}/data`, ENCRYPTION_KEYS: `${key('new')},${key('old')}` };
  const first = await runProgram(['rekey'], env).ended;
  expect(first).toMatchObject({ code: 0, errors: '' });
  expect(first.output).toContain('Encrypted 1 record with the newest key. Older keys are no longer needed.');
  expect((await runProgram(['rekey'], env).ended).output).toContain('Encrypted 0 records');
  expect(await provisionWith(key('new'))).toBe(200);
});

test('it says so when the database cannot be reached', async () => {
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
