import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../support/run-program.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

/** Backups that were made under a key which has gone since. */

const { scratch, start } = startedBrokers();

const key = (id: string) => `${id}:${Buffer.alloc(32, id).toString('base64')}`;

async function brokerWith(keys: string) {
  const env = {
    ENCRYPTION_KEYS: keys,
    BROKER_PASSWORD: 'p',
    OPERATOR_PASSWORD: 'o',
    NODE_DIR: join(scratch, 'node'),
    ALLOW_UNISOLATED: 'true',
  };
  const running = start(env);
  const url = await addressOf(running);
  async function ask(login: string, method: string, path: string, body?: object) {
    const answer = await call(login, `${url}${path}`, { method, ...(body && { body }) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
  return {
    platform: (method: string, path: string, body?: object) => ask('broker:p', method, `/v2${path}`, body),
    operator: (method: string, path: string, body?: object) =>
      ask('operator:o', method, `/operator${path}`, body),
    stop: () => stop(running),
  };
}

test('A backup is restored while its key lies under an old encryption key, and when that one is gone', async () => {
  mkdirSync(join(scratch, 'node'));
  chmodSync(join(scratch, 'node'), 0o755);
  let broker = await brokerWith(key('old'));
  const { services } = (await broker.platform('GET', '/catalog')).body as {
    services: readonly { id: string; name: string; plans: readonly { id: string }[] }[];
  };
  const offering = services.find(({ name }) => name === 'filesystem');
  const body = {
    service_id: offering?.id,
    plan_id: offering?.plans[0]?.id,
    organization_guid: 'o',
    space_guid: 's',
  };
  expect((await broker.platform('PUT', '/service_instances/f1', body)).status).toBe(201);
  const bound = await broker.platform('PUT', '/service_instances/f1/service_bindings/b1', body);
  const note = join((bound.body['credentials'] as { path: string }).path, 'note');
  writeFileSync(note, 'kept');
  const made = await broker.operator('POST', '/instances/f1/backups', {});
  expect(made.status).toBe(200);
  const { id } = made.body['backup'] as { id: string };

  async function restored(): Promise<string> {
    writeFileSync(note, 'lost');
    expect((await broker.operator('POST', `/backups/${id}/restore`, {})).status).toBe(200);
    return readFileSync(note, 'utf8');
  }
  await broker.stop();
  broker = await brokerWith(`${key('new')},${key('old')}`);
  expect(await restored()).toBe('kept');
  const env = { DATA_DIR: join(scratch, 'data'), ENCRYPTION_KEYS: `${key('new')},${key('old')}` };
  const rotated = await runProgram(['keys', 'rotate'], env).ended;
  expect([rotated.code, rotated.output]).toEqual([
    0,
    expect.stringContaining('Older keys are no longer needed.'),
  ]);
  await broker.stop();
  broker = await brokerWith(key('new'));
  expect(await restored()).toBe('kept');
  expect((await broker.operator('DELETE', `/backups/${id}`)).status).toBe(200);
  await broker.stop();
});
