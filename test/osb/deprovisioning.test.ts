import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform, pathOf } from '../support/instance-platform.ts';
import { until } from '../support/until.ts';

/** spec.md, Deprovisioning. */

const platform = instancePlatform();
const { ask, provision, update, deprovision, fetch, bind, unbind, lastOperation, ended, made } = platform;
const { refused, tracesOf, thingsOf } = platform;

const sync = true;
const sized = (size: number) => ({ parameters: { size } });

describe('An instance', () => {
  test('An instance is removed within the request and answered with 200 and an object [DEP-01, DEP-14]', async () => {
    const id = await made('trial-timing/quick');
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 200, body: {} });
    expect(await thingsOf(id)).toEqual([]);
    expect(await fetch(id)).toMatchObject({ status: 404 });
  });

  test.concurrent(
    'An instance that goes slowly is answered with 202, and then it is gone [DEP-01, DEP-14, LOP-11, LOP-14]',
    async () => {
      const id = await made('moments/brief-removal');
      const { status, body } = await deprovision(id, 'moments/brief-removal');
      expect({ status, body }).toMatchObject({ status: 202, body: { operation: expect.any(String) } });
      const { operation = '' } = body;
      expect(await lastOperation(id, { operation })).toMatchObject({
        status: 200,
        body: { state: 'in progress' },
      });
      expect(await ended(id, { operation })).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect(await deprovision(id, 'moments/brief-removal')).toMatchObject({ status: 410, body: {} });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test.concurrent('An instance is waited for when the platform cannot wait [DEP-06, STS-02]', async () => {
    const id = await made('moments/brief-removal');
    expect(await deprovision(id, 'moments/brief-removal', { sync })).toMatchObject({ status: 200 });
  });

  test('An instance of a plan that needs patience is not removed without it [DEP-06]', async () => {
    const id = await made('moments/async-only');
    const answer = await refused(id, () => deprovision(id, 'moments/async-only', { sync }));
    expect(answer).toMatchObject({ status: 422, body: { error: 'AsyncRequired' } });
  });

  test('An instance is removed once and then gone [DEP-02]', async () => {
    const id = await made('trial-timing/quick');
    await deprovision(id, 'trial-timing/quick', { sync });
    for (const accepts_incomplete of ['true', undefined, 'false']) {
      const again = await deprovision(id, 'trial-timing/quick', { query: { accepts_incomplete } });
      expect(again).toMatchObject({ status: 410, body: {} });
    }
  });

  test('An instance that never was is gone [DEP-02]', async () => {
    expect(await deprovision(randomUUID(), 'trial-timing/quick')).toMatchObject({ status: 410, body: {} });
  });

  test.each<[what: string, query: Record<string, string | undefined>]>([
    ['a service_id', { service_id: undefined }],
    ['a plan_id', { plan_id: undefined }],
    ['both', { service_id: undefined, plan_id: undefined }],
  ])('An instance stays without %s in the query [DEP-03, ERR-07]', async (_what, query) => {
    const id = await made('trial-timing/quick');
    const answer = await refused(id, () => deprovision(id, 'trial-timing/quick', { query }));
    expect(answer).toMatchObject({ status: 400, body: { description: expect.stringMatching(/_id/) } });
    expect(await fetch(id)).toMatchObject({ status: 200 });
  });

  test.each<[what: string, query: Record<string, string>]>([
    ['an empty service_id', { service_id: '' }],
    ['an empty plan_id', { plan_id: '' }],
    ['an unknown service_id', { service_id: randomUUID() }],
    ['an unknown plan_id', { plan_id: randomUUID() }],
    ['another service', { ...idsOf('bare/only') }],
    ['another plan of the service', { plan_id: idsOf('trial-timing/slow').plan_id }],
  ])('An instance stays with %s in the query [DEP-04, ERR-07]', async (_what, query) => {
    const id = await made('trial-timing/quick');
    const answer = await refused(id, () => deprovision(id, 'trial-timing/quick', { query }));
    expect(answer.status).toBe(400);
    expect(await fetch(id)).toMatchObject({ status: 200 });
  });

  test.each<[what: string, id: string]>([
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['5000 characters', 'x'.repeat(5000)],
    ['three dots', '%2e%2e.'],
  ])('An instance with an odd id (%s) that never was is gone [DEP-05]', async (_what, id) => {
    expect(await deprovision(id, 'trial-timing/quick')).toMatchObject({ status: 410, body: {} });
  });

  test.each<[what: string, plan_id: string, service_id: string]>([
    ['a NUL', '\0', '\0'],
    ['__proto__', '__proto__', '__proto__'],
    ['5000 characters', 'x'.repeat(5000), 'y'],
  ])('An instance stays with odd ids in the query: %s [DEP-05]', async (_what, plan_id, service_id) => {
    const id = await made('trial-timing/quick');
    const query = { plan_id, service_id };
    const answer = await refused(id, () => deprovision(id, 'trial-timing/quick', { query }));
    expect(answer.status).toBe(400);
  });

  test('An instance is removed whatever body comes along [DEP-12]', async () => {
    const bodies: readonly (readonly [string, string | object])[] = [
      ['application/json', { service_id: 'another' }],
      ['application/json', '{broken'],
      ['application/x-www-form-urlencoded', 'plan_id=another'],
    ];
    for (const [type, body] of bodies) {
      const id = await made('trial-timing/quick');
      const query = { ...idsOf('trial-timing/quick') };
      const answer = await ask('delete', pathOf(id), { query, body, headers: { 'content-type': type } });
      expect(answer).toMatchObject({ status: 200 });
    }
  });

  test('An instance is removed with all bindings that are left [DEP-10]', async () => {
    const id = await made('trial-timing/quick');
    for (const binding of ['one', 'two']) {
      expect(await bind(id, binding, 'trial-timing/quick', { sync })).toMatchObject({ status: 201 });
    }
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 200 });
    expect(await thingsOf(id)).toEqual([]);
    for (const binding of ['one', 'two']) {
      expect(await unbind(id, binding, 'trial-timing/quick', { sync })).toMatchObject({ status: 410 });
    }
  });
});

describe('While an instance is being removed', () => {
  const plan = 'moments/endless-removal';

  async function goingAway(): Promise<{ id: string; operation: string }> {
    const id = await made(plan);
    expect(await bind(id, 'one', 'moments/endless-removal', { sync })).toMatchObject({ status: 201 });
    const { status, body } = await deprovision(id, plan);
    expect(status).toBe(202);
    await until('its binding is removed', async () => (await thingsOf(id)).length === 1);
    return { id, operation: body.operation ?? '' };
  }

  test('While an instance is being removed, the same request is answered with 202 and the same operation [DEP-07]', async () => {
    const { id, operation } = await goingAway();
    expect(operation).not.toBe('');
    expect(await deprovision(id, plan)).toMatchObject({ status: 202, body: { operation } });
  });

  test('While an instance is being removed, every change is a ConcurrencyError and changes nothing [DEP-11, ERR-07]', async () => {
    const { id } = await goingAway();
    const changes = [
      () => provision(id, plan),
      () => update(id, plan, { body: sized(2) }),
      () => bind(id, 'two', plan),
      () => bind(id, 'one', plan),
    ];
    for (const change of changes) {
      expect(await refused(id, change)).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    }
  });

  test('While an instance is being removed, another instance with its id is a conflict [DEP-11, PRV-08]', async () => {
    const { id } = await goingAway();
    const answer = await refused(id, () => provision(id, plan, { body: sized(2) }));
    expect(answer.status).toBe(409);
  });
});

describe('An instance in the making', () => {
  test.concurrent(
    'An instance in the making is halted by its removal and gone for good [DEP-08, DEP-15, LOP-11]',
    async () => {
      const id = randomUUID();
      const { body: create } = await provision(id, 'moments/brief');
      const { status, body: removal } = await deprovision(id, 'moments/brief');
      expect(status).toBe(202);
      expect(removal.operation).not.toBe(create.operation);
      expect(await ended(id, { operation: removal.operation ?? '' })).toMatchObject({
        status: 200,
        body: { state: 'succeeded' },
      });
      expect(await lastOperation(id, { operation: create.operation ?? '' })).toMatchObject({
        status: 200,
        body: { state: 'failed' },
      });
      expect(await lastOperation(id)).toMatchObject({ status: 410 });
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect(await deprovision(id, 'moments/brief')).toMatchObject({ status: 410 });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test.concurrent(
    'An instance in the making is halted also by a platform that cannot wait [DEP-08, DEP-06]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/endless');
      expect(await deprovision(id, 'moments/endless', { sync })).toMatchObject({ status: 200 });
      expect(await deprovision(id, 'moments/endless')).toMatchObject({ status: 410 });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test.concurrent(
    'An instance in the making for which somebody waits is halted, and that one is told that it failed [DEP-08]',
    async () => {
      const id = randomUUID();
      const waiting = provision(id, 'moments/endless', { sync });
      await untilThere(id);
      expect(await deprovision(id, 'moments/endless', { sync })).toMatchObject({ status: 200 });
      expect((await waiting).status).toBeGreaterThanOrEqual(400);
      expect(await deprovision(id, 'moments/endless')).toMatchObject({ status: 410 });
    },
  );

  async function untilThere(id: string): Promise<void> {
    await until('it is there', async () => (await lastOperation(id)).body.state === 'in progress');
  }
});

test('While an update runs a removal is a ConcurrencyError, and the update goes on [DEP-09]', async () => {
  const id = await made('moments/endless-update');
  const { operation = '' } = (await update(id, 'moments/endless-update', { body: sized(2) })).body;
  const answer = await refused(id, () => deprovision(id, 'moments/endless-update'));
  expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
  expect(await lastOperation(id, { operation })).toMatchObject({ body: { state: 'in progress' } });
});

describe('A removal that fails', () => {
  test.concurrent(
    'A removal that fails is told as failed, and a new one is accepted and works [DEP-13, ERR-03]',
    async () => {
      const id = await made('moments/failing-removal');
      const { operation = '' } = (await deprovision(id, 'moments/failing-removal')).body;
      const { status, body } = await ended(id, { operation });
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { state: 'failed', description: 'It would not go.' },
      });
      expect(body).not.toHaveProperty('update_repeatable');
      expect(await fetch(id)).toMatchObject({ status: 200 });
      expect(await deprovision(id, 'moments/failing-removal', { sync })).toMatchObject({ status: 200 });
      expect(await tracesOf(id)).not.toContainEqual(expect.stringMatching(/^service_instances/));
    },
  );

  test('A removal that fails within the request is an error, and a new one works [DEP-13, ERR-03]', async () => {
    const id = await made('trial-failing/deprovision');
    const { status, body } = await deprovision(id, 'trial-failing/deprovision', { sync });
    expect({ status, body }).toMatchObject({
      status: 500,
      body: { description: 'The trial is still in use.' },
    });
    expect(body).not.toHaveProperty('update_repeatable');
    expect(await fetch(id)).toMatchObject({ status: 200 });
    expect(await deprovision(id, 'trial-failing/deprovision', { sync })).toMatchObject({ status: 200 });
  });
});
