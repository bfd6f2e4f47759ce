import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

const offering = '95a9f5b3-db5d-420c-b4e5-48f342e6d500';
const slow = { service_id: offering, plan_id: `${offering.slice(0, -1)}2` };

let database: TestDatabase;
let broker: WholeBroker;

beforeAll(async () => {
  database = await openTestDatabase();
  broker = await startWholeBroker(database, { DATABASE_POOL: '2', LEASE: '4s', WORKERS: '4' });
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

test('Requests that wait hold no connection: with a pool of two, 40 at once are served and keep their leases.', async () => {
  const body = { ...slow, organization_guid: 'o', space_guid: 's' };
  const asked = Array.from({ length: 40 }, (_, index) =>
    broker.ask('put', `/v2/service_instances/i${index % 20}`, {
      body,
      query: index < 30 ? {} : { accepts_incomplete: 'true' },
    }),
  );
  // An answer that has nothing to wait for overtakes those that do.
  const other = broker.ask('get', '/v2/service_instances/none');
  expect((await Promise.race([...asked.slice(0, 20), other])).status).toBe(404);
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => ![200, 201, 202].includes(status))).toEqual([]);
  expect(broker.output()).not.toContain('operation lost');
  expect(broker.output()).not.toContain('trouble');
});
