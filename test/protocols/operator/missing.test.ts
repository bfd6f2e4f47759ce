import { repairBroker } from './repair-broker.ts';

const { command, database, made, operate, rows } = repairBroker({ quick: {} });

test('Instances whose thing is gone are listed, and those that have theirs, or are being changed, are not.', async () => {
  const [there, gone, busy] = [await made('quick'), await made('quick'), await made('quick')];
  expect((await operate('get', 'missing')).body).toEqual({ missing: [], unseen: [] });
  for (const id of [gone, busy]) await rows('delete from trial_records where instance_id = $1', id);
  await database().pool.query(`update service_instances set operation_id = 'of somebody' where id = $1`, [
    busy,
  ]);
  const { status, body } = await operate('get', 'missing');
  expect([status, body as unknown]).toEqual([
    200,
    { missing: [expect.objectContaining({ id: gone, provisioner: 'faulty' })], unseen: [] },
  ]);
  const run = await command('instances', 'missing');
  expect(run).toMatchObject({ code: 1, errors: '' });
  expect(run.output).toMatch(new RegExp(`^INSTANCE +KEY +PROVISIONER +NODE\n${gone} +p\\S+ +faulty`));
  expect(run.output).not.toContain(there);
  expect((await operate('post', `instances/${gone}/actions/purge`, { confirm: gone })).status).toBe(200);
  expect(await command('instances', 'missing')).toMatchObject({ code: 0 });
});

test('What could not be looked for is said, and the login of a platform sees nothing.', async () => {
  await made('quick');
  await rows('alter table trial_records rename to hidden');
  try {
    expect((await operate('get', 'missing')).body).toEqual({
      missing: [],
      unseen: [`What 'faulty' has made could not be looked for; the log says why.`],
    });
  } finally {
    await rows('alter table hidden rename to trial_records');
  }
});
