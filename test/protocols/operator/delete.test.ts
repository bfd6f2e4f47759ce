import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createBrokerServer } from '../../../src/http/server.ts';
import { operatorClient } from '../../../src/protocols/operator/client.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import { coreInMemory, scripted } from '../../broker/core-in-memory.ts';
import { toBind, toProvision } from '../../broker/fixtures.ts';
import { noOffices } from '../../support/no-offices.ts';

const login = { username: 'operator', password: 'p' };

test.each(['i1', '.', '..'])(
  'An operator deletes the instance %s with its bindings when its id is said twice, and once more there is none',
  async (id) => {
    const { provisioner } = scripted({});
    const { broker } = coreInMemory(provisioner).broker();
    for (const instanceId of [id, 'other']) await broker.provision({ ...toProvision(), instanceId });
    await broker.bind({ ...toBind(), instanceId: id });
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
      await expect(client.removeInstance(id, 'other')).rejects.toThrow('confirm must be the id');
      await client.removeInstance(id, id);
      await expect(client.removeInstance(id, id)).rejects.toThrow(
        'There is no service instance with this id.',
      );
      expect((await client.instances({})).instances.map((one) => one.id)).toEqual(['other']);
      const [last] = (await client.operations({ instance: id })).operations;
      expect(last).toMatchObject({
        kind: 'deprovision',
        state: 'succeeded',
        asked_by: { protocol: 'operator', principal: 'operator' },
      });
    } finally {
      server.close();
    }
  },
);
