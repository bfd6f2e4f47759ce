// The session of a rekey is ended by an administrator: when it begins, and when half of the work is done.
import { openSessionEnder, type SessionEnder } from '../support/ending-sessions.ts';
import { runProgram, type Ended } from '../support/run-program.ts';
import { startWholeBroker } from '../support/whole-broker.ts';

const key = (id: string) => `${id}:${Buffer.alloc(32, id).toString('base64')}`;
const keys = `${key('new')},${key('old')}`;
const ids = { service_id: 'echo_service', plan_id: 'big_0001' };

let ender: SessionEnder;
beforeAll(async () => {
  ender = await openSessionEnder();
});
afterAll(() => ender.close());

/** How the same requests are answered by a broker with these keys; to answer them, it reads what lies encrypted. */
async function askWith(encryptionKeys: string): Promise<readonly number[]> {
  const broker = await startWholeBroker(ender.database, {
    ENCRYPTION_KEYS: encryptionKeys,
    CATALOG_DIR: 'catalog',
  });
  const instance = '/v2/service_instances/i1';
  try {
    const body = { ...ids, organization_guid: 'o', space_guid: 's' };
    const made = await broker.ask('put', instance, { body });
    const bound = await broker.ask('put', `${instance}/service_bindings/b1`, { body: ids });
    return [made.status, bound.status];
  } finally {
    await broker.stop();
  }
}

function rekey(): Promise<Ended> {
  const env = { DATABASE_URL: ender.url, BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: keys };
  return runProgram(['rekey', '--saved'], env).ended;
}

async function keysOf(table: string): Promise<readonly string[]> {
  const { rows } = await ender.database.pool.query(`select confidential from ${table}`);
  return rows.map(({ confidential }) => /"key":"(\w+)"/.exec(String(confidential))?.[1] ?? '');
}

/** From now on whoever writes a binding's secrets anew loses the session. */
const endWriters = `
  create function end_writer() returns trigger language plpgsql as
    $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
  create trigger end_writer after update of confidential on service_bindings
    for each row execute function end_writer()`;

test('A rekey whose session is ended says so, leaves all readable, and succeeds when it is repeated.', async () => {
  expect(await askWith(key('old'))).toEqual([201, 201]);
  const told = { code: 1, errors: expect.stringMatching(/^purveyor: .*cannot reach its database.*\n$/) };
  ender.endAt(({ ofConnection }) => ofConnection === 1);
  expect(await rekey()).toMatchObject(told);
  expect(ender.ended()).toBeGreaterThan(0);
  ender.endAt(() => false);

  await ender.database.pool.query(endWriters);
  expect(await rekey()).toMatchObject(told);
  expect([await keysOf('service_instances'), await keysOf('service_bindings')]).toEqual([['new'], ['old']]);
  await ender.database.pool.query('drop function end_writer cascade');
  expect(await askWith(keys)).toEqual([200, 200]);

  expect(await rekey()).toMatchObject({ code: 0, errors: '' });
  expect([await keysOf('service_instances'), await keysOf('service_bindings')]).toEqual([['new'], ['new']]);
  expect(await askWith(key('new'))).toEqual([200, 200]);
});
