// Ids that broker 0.1.0 took, and that no path can hold.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createBrokerServer } from '../../../src/http/server.ts';
import { operatorClient } from '../../../src/protocols/operator/client.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import { coreInMemory, scripted } from '../../broker/core-in-memory.ts';
import { toBind, toProvision } from '../../broker/fixtures.ts';
import { noOffices } from '../../support/no-offices.ts';

const login = { username: 'operator', password: 'p' };

test.each(['.', '..'])('An operator reaches an instance and a binding whose id is %s', async (id) => {
  const { provisioner } = scripted({
    inspect: async () => [{ unit: 'redis', alive: true, answer: 'ready' }],
    start: () => ({ done: {} }),
    stop: () => ({ done: {} }),
    exec: async () => [{ unit: 'redis', code: 0, output: 'done' }],
    log: async () => [{ unit: 'redis', text: 'a line' }],
  });
  const { broker } = coreInMemory(provisioner).broker();
  for (const instanceId of [id, 'other']) {
    await broker.provision({ ...toProvision(), instanceId });
    await broker.bind({ ...toBind(), instanceId, bindingId: id });
  }
  const protocol = operator(broker, broker.overview, {
    offices: noOffices,
    logins: [login],
  });
  const { app } = createBrokerServer({ protocols: [protocol], logins: [], observe: () => undefined });
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = operatorClient({ address, login, errorOf: (why) => new Error(JSON.stringify(why)) });
  try {
    expect(await client.instance(id)).toMatchObject({ id, bound: [{ id, state: 'bound' }] });
    expect(await client.exec(id, { command: ['true'] })).toMatchObject({ results: [{ output: 'done' }] });
    expect(await client.log(id, { lines: '1' })).toMatchObject({ units: [{ text: 'a line' }] });
    await client.act(id, 'stop');
    expect((await client.instance(id)).operations[0]).toMatchObject({ kind: 'stop', state: 'succeeded' });
    await client.removeBinding(id, id);
    expect(await client.instance(id)).toMatchObject({ bound: [] });
    expect(await client.instance('other')).toMatchObject({ bound: [{ id }], status: 'started' });
  } finally {
    server.close();
  }
});
