import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createBrokerServer } from '../../../src/http/server.ts';
import { findAll, findOperations } from '../../../src/cli/operator/lists.ts';
import { operatorClient, type OperatorClient } from '../../../src/protocols/operator/client.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import { coreInMemory, scripted } from '../../broker/core-in-memory.ts';
import { toProvision } from '../../broker/fixtures.ts';
import { noOffices } from '../../support/no-offices.ts';

/** Lists as operators ask for them: filters, pages, and what is refused. */

const login = { username: 'operator', password: 'p' };

async function withClient(work: (client: OperatorClient) => Promise<void>): Promise<void> {
  const { provisioner } = scripted({});
  const { broker } = coreInMemory(provisioner).broker();
  const identity = { platform: 'cloudfoundry', value: { user_name: 'duke' } };
  for (let n = 1; n <= 5; n += 1) {
    await broker.provision({
      ...toProvision(),
      instanceId: `i${n}`,
      context: { platform: 'cloudfoundry', organization_name: n % 2 ? 'odd' : 'even', space_name: 'dev' },
      origin: { protocol: 'osb', identity },
    });
  }
  const protocol = operator(broker, broker.overview, {
    offices: noOffices,
    logins: [login],
  });
  const { app } = createBrokerServer({ protocols: [protocol], logins: [], observe: () => undefined });
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await work(operatorClient({ address, login, errorOf: (why) => new Error(JSON.stringify(why)) }));
  } finally {
    server.close();
  }
}

test('Instances are asked for by whose they are and how they are, and read page by page', async () => {
  await withClient(async (client) => {
    const ids = async (query: Record<string, string>) => (await findAll(client, query)).map(({ id }) => id);
    expect(await ids({ organization: 'odd', space: 'dev', platform: 'cloudfoundry' })).toEqual([
      'i1',
      'i3',
      'i5',
    ]);
    expect(await ids({ state: 'ready', status: 'started', younger_than: '1h' })).toHaveLength(5);
    expect(await ids({ status: 'error' })).toEqual([]);
    expect(await ids({ state: 'failed' })).toEqual([]);
    expect(await ids({ plan: 'unknown' })).toEqual([]);
    const [first] = await findAll(client, {}, 1);
    expect(await ids({ plan: first?.plan ?? '', offering: first?.offering ?? '' })).toHaveLength(5);
    const page = await client.instances({ status: 'started', limit: '2' });
    expect(page.instances.map(({ id }) => id)).toEqual(['i1', 'i2']);
    const next = await client.instances({ status: 'started', limit: '3', after: page.next });
    expect(next.instances.map(({ id }) => id)).toEqual(['i3', 'i4', 'i5']);
    expect((await findAll(client, {}, 3)).map(({ id }) => id)).toEqual(['i1', 'i2', 'i3']);
  });
});

test('Operations of all instances are read with who asked for them, and end at the limit', async () => {
  await withClient(async (client) => {
    const all = await findOperations(client, { kind: 'provision', state: 'succeeded' });
    expect(all).toHaveLength(5);
    expect(all[0]).toMatchObject({ kind: 'provision', requester: { value: { user_name: 'duke' } } });
    expect(await findOperations(client, {}, 2)).toHaveLength(2);
    expect(await findOperations(client, { instance: 'i3' })).toMatchObject([{ instance_id: 'i3' }]);
    expect(await findOperations(client, { state: 'failed' })).toEqual([]);
    expect(await findOperations(client, { state: 'in-progress' })).toEqual([]);
  });
});

test.each([
  ['instances', { state: 'odd' }, 'state must be one of'],
  ['instances', { status: 'odd' }, 'status must be one of down, error,'],
  ['instances', { older_than: 'long' }, 'older_than must be a whole number with s, m, h or d, such as 36h.'],
  ['operations', { kind: 'odd' }, 'kind must be one of provision,'],
  ['operations', { state: 'in progress' }, 'state must be one of in-progress, succeeded, failed.'],
  ['operations', { after: 'odd' }, 'after is not the next of any page.'],
  ['operations', { limit: '1001' }, 'limit must be a whole number from 1 to 1000.'],
] as const)('A list of %s refuses %j with a sentence', async (list, query, sentence) => {
  await withClient(async (client) => {
    await expect(client[list](query)).rejects.toThrow(sentence);
  });
});
