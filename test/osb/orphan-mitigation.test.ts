import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { idsOf, instancePlatform, pathOf, provisionBody } from '../support/instance-platform.ts';
import { until } from '../support/until.ts';

/** spec.md, Orphan Mitigation: whatever went wrong, a DELETE cleans up, and then nothing is left. */

const platform = instancePlatform({ SYNC_PATIENCE: '2s' });
const { provision, update, deprovision, fetch, bind, unbind, fetchBinding, lastOperation, ended, made } =
  platform;
const { brokers, tracesOf, thingsOf } = platform;

const sync = true;

describe('A provision that failed', () => {
  test.concurrent.each(['moments/failing', 'moments/failing-made'])(
    'A provision that failed after its 202 leaves nothing, is not there, and can be deleted: %s [ORP-01, ORP-04, ERR-03]',
    async (plan) => {
      const id = randomUUID();
      expect(await provision(id, plan)).toMatchObject({ status: 202 });
      expect((await ended(id)).body).toEqual({ state: 'failed', description: expect.stringMatching(/./) });
      expect(await thingsOf(id)).toEqual([]);
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect([200, 202, 410]).toContain((await deprovision(id, plan)).status);
      await ended(id);
      expect(await deprovision(id, plan)).toMatchObject({ status: 410 });
    },
  );

  test.each(['trial-failing/provision', 'trial-failing/provision-made'])(
    'A provision that failed within its request leaves nothing, is not there, and can be deleted: %s [ORP-01, ORP-04, ERR-08]',
    async (plan) => {
      const id = randomUUID();
      expect(await provision(id, plan, { sync })).toMatchObject({ status: 500 });
      expect(await thingsOf(id)).toEqual([]);
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect([200, 410]).toContain((await deprovision(id, plan, { sync })).status);
      expect(await deprovision(id, plan, { sync })).toMatchObject({ status: 410 });
    },
  );

  test.concurrent(
    'A provision that failed goes on being told as failed until it is deleted [ORP-01, LOP-04]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/failing');
      await ended(id);
      for (let times = 0; times < 3; times += 1) {
        expect(await lastOperation(id)).toMatchObject({ status: 200, body: { state: 'failed' } });
      }
      await deprovision(id, 'moments/failing', { sync });
      expect(await lastOperation(id)).toMatchObject({ status: 410 });
    },
  );

  test.concurrent(
    'A provision that failed does not become a success by being repeated: it is tried again [ORP-01]',
    async () => {
      const id = randomUUID();
      const first = await provision(id, 'moments/failing');
      await ended(id);
      const second = await provision(id, 'moments/failing');
      expect(second).toMatchObject({ status: 202 });
      expect(second.body.operation).not.toBe(first.body.operation);
      expect((await ended(id)).body.state).toBe('failed');
    },
  );

  test('A provision that failed frees its id for something else once it is deleted [ORP-01, PRV-24]', async () => {
    const id = randomUUID();
    await provision(id, 'trial-failing/provision', { sync });
    await deprovision(id, 'trial-failing/provision', { sync });
    expect(await provision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 201 });
  });

  test.concurrent('A provision that failed cannot be bound or updated [UPD-14, BND-23]', async () => {
    const id = randomUUID();
    await provision(id, 'moments/failing');
    await ended(id);
    expect(await update(id, 'moments/failing', { body: { parameters: { size: 2 } } })).toMatchObject({
      status: 400,
    });
    expect(await bind(id, 'b', 'moments/failing')).toMatchObject({ status: 400 });
  });
});

describe('A provision that takes longer than a request can wait', () => {
  test.concurrent(
    'A provision that takes longer than a request can wait is given up, undone, and can be deleted at once [ORP-01, ERR-08]',
    async () => {
      const id = randomUUID();
      expect(await provision(id, 'moments/endless', { sync })).toMatchObject({ status: 500 });
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect([200, 410]).toContain((await deprovision(id, 'moments/endless', { sync })).status);
      expect(await thingsOf(id)).toEqual([]);
      expect(await deprovision(id, 'moments/endless')).toMatchObject({ status: 410 });
    },
  );

  test.concurrent(
    'A provision that takes longer than a request can wait is undone also when nobody deletes it [ORP-04]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/endless', { sync });
      expect((await ended(id)).body).toMatchObject({
        state: 'failed',
        description: expect.stringContaining('longer'),
      });
      expect(await thingsOf(id)).toEqual([]);
    },
  );
});

describe('A platform that hangs up', () => {
  test.concurrent.each(['moments/brief', 'moments/endless'])(
    'A platform that hangs up while its provision runs can delete at once, and nothing is left: %s [ORP-01, ORP-03]',
    async (plan) => {
      const id = randomUUID();
      await hangUp(id, plan);
      expect([200, 202]).toContain((await deprovision(id, plan)).status);
      expect(await ended(id)).toMatchObject({ status: 410 });
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test.concurrent(
    'A platform that hangs up does not stop the provision; a repetition finds it done [PRV-05, PRV-06]',
    async () => {
      const id = randomUUID();
      await hangUp(id, 'moments/brief');
      expect(await provision(id, 'moments/brief', { sync })).toMatchObject({ status: 200 });
      expect(await fetch(id)).toMatchObject({ status: 200 });
    },
  );

  /** Sends the request without accepts_incomplete and closes the connection as soon as the work has begun. */
  async function hangUp(id: string, plan: string): Promise<void> {
    const [broker] = brokers();
    if (!broker) throw new Error('There is no broker.');
    const headers = { 'x-broker-api-version': '2.17', 'content-type': 'application/json' };
    const options = { method: 'PUT', headers, auth: `broker:${broker.password}` };
    const sent = request(`${broker.url}${pathOf(id)}`, options);
    const closed = new Promise((resolve) => sent.on('error', () => undefined).on('close', resolve));
    sent.end(JSON.stringify(provisionBody(plan)));
    await until('it is there', async () => (await lastOperation(id)).status === 200);
    sent.destroy();
    await closed;
  }
});

describe('A bind that failed', () => {
  test.concurrent(
    'A bind that failed after its 202 is not there and can be deleted [ORP-02, ERR-03]',
    async () => {
      const id = await made('moments/failing-bind');
      const binding = `${id}/service_bindings/b`;
      expect(await bind(id, 'b', 'moments/failing-bind')).toMatchObject({ status: 202 });
      expect((await ended(binding)).body).toEqual({ state: 'failed', description: 'It would not bind.' });
      expect(await fetchBinding(id, 'b')).toMatchObject({ status: 404 });
      expect([200, 202, 410]).toContain((await unbind(id, 'b', 'moments/failing-bind')).status);
      await ended(binding);
      expect(await unbind(id, 'b', 'moments/failing-bind')).toMatchObject({ status: 410 });
      expect(await thingsOf(id)).toHaveLength(1);
    },
  );

  test('A bind that failed within its request is not there and can be deleted [ORP-02, ERR-08]', async () => {
    const id = await made('trial-failing/bind');
    expect(await bind(id, 'b', 'trial-failing/bind', { sync })).toMatchObject({ status: 500 });
    expect(await fetchBinding(id, 'b')).toMatchObject({ status: 404 });
    expect([200, 410]).toContain((await unbind(id, 'b', 'trial-failing/bind', { sync })).status);
    expect(await unbind(id, 'b', 'trial-failing/bind', { sync })).toMatchObject({ status: 410 });
  });

  test.concurrent(
    'A bind that failed because it took too long is given up and can be deleted [ORP-02]',
    async () => {
      const id = await made('moments/endless-bind');
      expect(await bind(id, 'b', 'moments/endless-bind', { sync })).toMatchObject({ status: 500 });
      expect([200, 410]).toContain((await unbind(id, 'b', 'moments/endless-bind', { sync })).status);
      expect(await unbind(id, 'b', 'moments/endless-bind')).toMatchObject({ status: 410 });
      expect(await thingsOf(id)).toHaveLength(1);
    },
  );
});

test('What was never there is gone: instances, bindings, and bindings of instances that are not there [DEP-02, UNB-02]', async () => {
  const id = await made('trial-timing/quick');
  expect(await deprovision(randomUUID(), 'trial-timing/quick')).toMatchObject({ status: 410, body: {} });
  expect(await unbind(id, randomUUID(), 'trial-timing/quick')).toMatchObject({ status: 410, body: {} });
  expect(await unbind(randomUUID(), randomUUID(), 'trial-timing/quick')).toMatchObject({
    status: 410,
    body: {},
  });
});

test.concurrent(
  'Whatever state an instance is in, deleting it removes all of it [ORP-03, DEP-10]',
  async () => {
    const states: readonly (readonly [plan: string, get: () => Promise<string>])[] = [
      ['trial-timing/quick', () => made('trial-timing/quick')],
      ['moments/brief', provisioning('moments/brief')],
      ['moments/endless', provisioning('moments/endless')],
      ['moments/failing-made', provisioning('moments/failing-made', ended)],
      ['moments/failing-update', after('moments/failing-update', failedUpdate)],
      ['moments/failing-bind', after('moments/failing-bind', failedBind)],
      ['bare/only', after('bare/only', (id) => bind(id, 'b', 'bare/only', { sync }))],
      ['moments/failing-removal', after('moments/failing-removal', failedRemoval)],
      ['echo/large', after('echo/large', (id) => bind(id, 'b', 'echo/large', { sync }))],
    ];
    await Promise.all(
      states.map(async ([plan, get]) => {
        const id = await get();
        expect([200, 202]).toContain((await deprovision(id, plan)).status);
        expect(await ended(id)).toMatchObject({ status: 410 });
        const left = (await tracesOf(id)).filter((line) => !line.startsWith('operations '));
        expect({ plan, left }).toEqual({ plan, left: [] });
      }),
    );
  },
);

function provisioning(plan: string, then?: (id: string) => Promise<unknown>): () => Promise<string> {
  return async () => {
    const id = randomUUID();
    await provision(id, plan);
    await then?.(id);
    return id;
  };
}

function after(plan: string, deed: (id: string) => Promise<unknown>): () => Promise<string> {
  return async () => {
    const id = await made(plan);
    await deed(id);
    return id;
  };
}

async function failedUpdate(id: string): Promise<void> {
  await update(id, 'moments/failing-update', {
    body: { ...idsOf('moments/failing-update'), parameters: { size: 2 } },
  });
  expect((await ended(id)).body.state).toBe('failed');
}

async function failedBind(id: string): Promise<void> {
  await bind(id, 'b', 'moments/failing-bind');
  expect((await ended(`${id}/service_bindings/b`)).body.state).toBe('failed');
}

async function failedRemoval(id: string): Promise<void> {
  await deprovision(id, 'moments/failing-removal');
  expect((await ended(id)).body.state).toBe('failed');
}
