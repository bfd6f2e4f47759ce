import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform, type Sent } from '../support/instance-platform.ts';
import { until } from '../support/until.ts';

/** spec.md, Provisioning. */

const { provision, deprovision, fetch, lastOperation, ended, made, refused, thingsOf } = instancePlatform();

const sync = true;
const other = idsOf('bare/only');

describe('A new instance', () => {
  test('A new instance is made within the request and answered with 201 [PRV-01, PRV-04, LOP-09]', async () => {
    const id = randomUUID();
    const answer = await provision(id, 'trial-timing/quick', { sync });
    expect(answer).toMatchObject({ status: 201, body: {} });
    expect(answer.body).not.toHaveProperty('operation');
    expect(await thingsOf(id)).toHaveLength(1);
  });

  test.concurrent(
    'A new instance that takes longer is answered with 202 and an operation that ends as succeeded [PRV-01, PRV-04, PRV-25, LOP-14]',
    async () => {
      const id = randomUUID();
      const { status, body } = await provision(id, 'moments/brief');
      expect({ status, body }).toMatchObject({ status: 202, body: { operation: expect.any(String) } });
      const { operation = '' } = body;
      expect(await ended(id, { operation })).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      expect(await thingsOf(id)).toHaveLength(1);
    },
  );

  test.concurrent(
    'A new instance is not told to be there before it is, neither to who waits nor to who does not [PRV-26]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/brief');
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect(await provision(id, 'moments/brief', { sync })).toMatchObject({ status: 200 });
      expect(await fetch(id)).toMatchObject({ status: 200 });
    },
  );

  test.concurrent(
    'A new instance is waited for when the platform cannot wait, and never answered with 202 [PRV-02, STS-02]',
    async () => {
      const absent = await provision(randomUUID(), 'moments/brief', { sync });
      expect(absent).toMatchObject({ status: 201 });
      const no = await provision(randomUUID(), 'moments/brief', { query: { accepts_incomplete: 'false' } });
      expect(no).toMatchObject({ status: 201 });
    },
  );

  test('A new instance of a plan that needs patience is refused to a platform without it [PRV-02, STS-03, CCN-02]', async () => {
    const id = randomUUID();
    const answer = await refused(id, () => provision(id, 'moments/async-only', { sync }));
    expect(answer).toMatchObject({ status: 422, body: { error: 'AsyncRequired' } });
    expect(await deprovision(id, 'moments/async-only')).toMatchObject({ status: 410 });
  });

  test.each(['1', 'TRUE', 'yes', 'maybe'])(
    'A new instance with accepts_incomplete=%s is refused rather than guessed at [PRV-03]',
    async (accepts_incomplete) => {
      const id = randomUUID();
      const query = { accepts_incomplete };
      const answer = await refused(id, () => provision(id, 'moments/endless', { query }));
      expect(answer).toMatchObject({
        status: 400,
        body: { description: expect.stringContaining('accepts_incomplete') },
      });
    },
  );

  test('A new instance with an empty accepts_incomplete is as without it [PRV-03]', async () => {
    const answer = await provision(randomUUID(), 'trial-timing/quick', { query: { accepts_incomplete: '' } });
    expect(answer).toMatchObject({ status: 201 });
  });

  test('A new instance tells its labels and attributes [PRV-04]', async () => {
    const { body } = await provision(randomUUID(), 'trial-features/labelled', { sync });
    expect(body['metadata']).toMatchObject({ labels: expect.any(Object), attributes: expect.any(Object) });
  });

  test('A new instance may have the id of one that was deleted [PRV-24]', async () => {
    const id = await made('trial-timing/quick');
    await deprovision(id, 'trial-timing/quick', { sync });
    expect(await provision(id, 'bare/only', { sync })).toMatchObject({ status: 201 });
    expect(await fetch(id)).toMatchObject({ status: 200, body: other });
  });
});

describe('The dashboard', () => {
  test.concurrent(
    'The dashboard is told in the first answer, also in a 202, and stays the same [PRV-22, PRV-04, FET-08]',
    async () => {
      const id = randomUUID();
      const { status, body } = await provision(id, 'moments/brief');
      expect(status).toBe(202);
      await ended(id);
      expect((await fetch(id)).body.dashboard_url).toBe(body.dashboard_url);
    },
  );

  test('The dashboard is a whole address that no other instance has, and a repetition tells it again [PRV-23, PRV-07]', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const first = await provision(one, 'moments/failing-bind', { sync });
    const second = await provision(two, 'moments/failing-bind', { sync });
    expect(URL.canParse(first.body.dashboard_url ?? '')).toBe(true);
    expect(first.body.dashboard_url).not.toBe(second.body.dashboard_url);
    const again = await provision(one, 'moments/failing-bind', { sync });
    expect(again).toMatchObject({ status: 200, body: { dashboard_url: first.body.dashboard_url } });
  });
});

describe('The same request again', () => {
  const parameters = { size: 3, label: 'a' };

  test('A repeated provision is answered with 200, whatever the order of its members [PRV-05]', async () => {
    const id = await made('trial-timing/quick', { body: { parameters: { size: 2 } } });
    const { service_id, plan_id } = idsOf('trial-timing/quick');
    const body = { parameters: { size: 2 }, plan_id, service_id };
    const again = await provision(id, 'trial-timing/quick', { body });
    expect(again).toMatchObject({ status: 200 });
    expect(again.body).not.toHaveProperty('operation');
  });

  test('A repeated provision with the members of its parameters in another order is the same [PRV-05]', async () => {
    const id = await made('moments/failing-bind', { body: { parameters } });
    const reordered = { parameters: { label: 'a', size: 3 } };
    expect(await provision(id, 'moments/failing-bind', { body: reordered })).toMatchObject({ status: 200 });
  });

  test('A repeated provision makes no second instance, however often it comes [PRV-06]', async () => {
    const id = await made('trial-timing/quick');
    for (let times = 0; times < 3; times += 1) {
      expect(await provision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 200 });
    }
    expect(await thingsOf(id)).toHaveLength(1);
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 200 });
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 410 });
  });

  test('A repeated provision while it is in progress is answered with 202 and the same operation [PRV-09]', async () => {
    const id = randomUUID();
    const first = await provision(id, 'moments/endless', { body: { parameters } });
    const again = await provision(id, 'moments/endless', { body: { parameters } });
    expect(first.body.operation).toEqual(expect.any(String));
    expect(again).toMatchObject({ status: 202, body: { operation: first.body.operation } });
    await deprovision(id, 'moments/endless');
  });

  test.each<[what: string, body: object]>([
    ['context', { context: { platform: 'cloudfoundry', organization_name: 'renamed' } }],
    ['maintenance_info description', { maintenance_info: { version: '2.1.0', description: 'other words' } }],
  ])(
    'A repeated provision with another %s is the same [PRV-08.context, PRV-20.match]',
    async (_what, body) => {
      const id = await made('trial-features/maintained');
      expect(await provision(id, 'trial-features/maintained', { body })).toMatchObject({ status: 200 });
    },
  );

  test('A repeated provision by another user is the same [PRV-08.context]', async () => {
    const id = await made('trial-timing/quick');
    const user = Buffer.from('{"user_id":"somebody-else"}').toString('base64');
    const headers = { 'x-broker-api-originating-identity': `cloudfoundry ${user}` };
    expect(await provision(id, 'trial-timing/quick', { headers })).toMatchObject({ status: 200 });
  });
});

describe('An id that is taken', () => {
  const differences: readonly (readonly [what: string, body: object])[] = [
    ['plan', idsOf('moments/brief-too')],
    ['service', idsOf('trial-timing/quick')],
    ['parameters', { parameters: { size: 4 } }],
    ['organization', { organization_guid: 'another' }],
    ['space', { space_guid: 'another' }],
  ];

  test.each(differences)(
    'An id that is taken is refused to a request with another %s [PRV-08, ERR-07]',
    async (_what, body) => {
      const id = await made('moments/failing-bind', { body: { parameters: { size: 3 } } });
      const answer = await refused(id, () =>
        provision(id, 'moments/failing-bind', { body: { parameters: { size: 3 }, ...body } }),
      );
      expect(answer.status).toBe(409);
      expect(await fetch(id)).toMatchObject({
        body: { ...idsOf('moments/failing-bind'), parameters: { size: 3 } },
      });
    },
  );

  test.each(differences)(
    'An id of an instance in the making is refused to another %s [PRV-10, ERR-07]',
    async (_what, body) => {
      const id = randomUUID();
      const { operation = '' } = (await provision(id, 'moments/endless')).body;
      await until('something of it is made', async () => (await thingsOf(id)).length > 0);
      const answer = await refused(id, () => provision(id, 'moments/endless', { body }));
      expect(answer.status).toBe(409);
      expect(await lastOperation(id, { operation })).toMatchObject({ body: { state: 'in progress' } });
      await deprovision(id, 'moments/endless');
    },
  );

  test.concurrent(
    'An id that is taken and refused to another does not disturb the first [PRV-10]',
    async () => {
      const id = randomUUID();
      const { operation = '' } = (await provision(id, 'moments/brief')).body;
      expect(await provision(id, 'moments/brief-too')).toMatchObject({ status: 409 });
      expect(await ended(id, { operation })).toMatchObject({ body: { state: 'succeeded' } });
      expect(await fetch(id)).toMatchObject({ status: 200, body: idsOf('moments/brief') });
    },
  );

  test('An id that is taken is refused when the parameters are left out, and not when there were none [PRV-08.absent-parameters]', async () => {
    const withParameters = await made('trial-timing/quick', { body: { parameters: { size: 2 } } });
    const answer = await refused(withParameters, () => provision(withParameters, 'trial-timing/quick'));
    expect(answer.status).toBe(409);
    const without = await made('trial-timing/quick');
    for (const parameters of [{}, null, undefined]) {
      const again = await provision(without, 'trial-timing/quick', { body: { parameters } });
      expect(again).toMatchObject({ status: 200 });
    }
  });
});

describe('A request is refused with 400 and makes nothing', () => {
  const required = ['service_id', 'plan_id', 'organization_guid', 'space_guid'] as const;

  async function expectRefusal(body: Sent['body'], field: string): Promise<void> {
    const id = randomUUID();
    const answer = await refused(id, () => provision(id, 'trial-timing/quick', body ? { body } : {}));
    expect(answer).toMatchObject({ status: 400, body: { description: expect.stringContaining(field) } });
    expect(await deprovision(id, 'trial-timing/quick')).toMatchObject({ status: 410 });
  }

  test.each(required)(
    'A provision is refused with 400 and makes nothing without %s [PRV-11]',
    async (field) => {
      await expectRefusal({ [field]: undefined, context: {} }, field);
    },
  );

  test.each(required)(
    'A provision is refused with 400 and makes nothing with an empty %s [PRV-12]',
    async (field) => {
      await expectRefusal({ [field]: '' }, field);
    },
  );

  test.each(required.flatMap((field) => [null, 7, true, {}, ['a']].map((value) => [field, value] as const)))(
    'A provision is refused with 400 and makes nothing with a %s of %j [PRV-13]',
    async (field, value) => {
      await expectRefusal({ [field]: value }, field);
    },
  );

  test.each(['text', 7, true, ['a']])(
    'A provision is refused with 400 and makes nothing with parameters of %j [PRV-13]',
    async (parameters) => {
      await expectRefusal({ parameters }, 'parameters');
    },
  );

  test.each(['text', 7, true, ['a']])(
    'A provision is refused with 400 and makes nothing with a context of %j [PRV-13.context]',
    async (context) => {
      await expectRefusal({ context }, 'context');
    },
  );

  test.each<[what: string, body: Record<string, string>, field: string]>([
    ['an unknown service', { service_id: randomUUID() }, 'service_id'],
    ['an unknown plan', { plan_id: randomUUID() }, 'plan_id'],
    ['a plan of another service', { plan_id: other.plan_id }, 'plan_id'],
    ['both ids swapped', swapped('trial-timing/quick'), 'service_id'],
    ['the names instead of the ids', { service_id: 'trial-timing', plan_id: 'quick' }, 'service_id'],
  ])(
    'A provision is refused with 400 and makes nothing with %s [PRV-14, PRV-15]',
    async (_what, body, field) => {
      await expectRefusal(body, field);
    },
  );

  function swapped(plan: string): Record<string, string> {
    const { service_id, plan_id } = idsOf(plan);
    return { service_id: plan_id, plan_id: service_id };
  }

  test.each<[parameters: Record<string, unknown>, name: string]>([
    [{ size: 0 }, 'size'],
    [{ size: 11 }, 'size'],
    [{ size: 'big' }, 'size'],
    [{ size: 1.5 }, 'size'],
    [{ size: null }, 'size'],
    [{ colour: 'red' }, 'colour'],
  ])(
    'A provision is refused with 400 and makes nothing with the parameters %j, which the schema of the plan does not allow [PRV-18, PRV-19, A3]',
    async (parameters, name) => {
      await expectRefusal({ parameters }, name);
    },
  );

  test.each([7, 'text', ['2.1.0'], { version: 7 }])(
    'A provision is refused with 400 and makes nothing with a maintenance_info of %j [PRV-20.none]',
    async (maintenance_info) => {
      await expectRefusal({ maintenance_info }, 'maintenance_info');
    },
  );
});

describe('A request is processed', () => {
  async function expectMade(plan: string, body: Sent['body']): Promise<string> {
    const id = randomUUID();
    const answer = await provision(id, plan, { sync, ...(body ? { body } : {}) });
    expect(answer).toMatchObject({ status: 201 });
    return id;
  }

  test.each(['parameters', 'context', 'maintenance_info', 'previous_values', 'vendor'])(
    'A provision is processed with a %s of null [PRV-13.null]',
    async (field) => {
      await expectMade('trial-timing/quick', { [field]: null });
    },
  );

  test('A provision is processed with a null inside maintenance_info [PRV-13.null]', async () => {
    await expectMade('trial-timing/quick', { maintenance_info: { version: null } });
  });

  test('A provision is processed with members that nobody knows, at any level but in the parameters [PRV-16]', async () => {
    const odd = { text: 'x', number: 1, list: [null, { deep: true }], null: null };
    await expectMade('trial-features/maintained', {
      ...odd,
      odd,
      context: { platform: 'cloudfoundry', odd, ...odd },
      maintenance_info: { version: '2.1.0', odd },
      previous_values: { odd },
    });
  });

  test.each<[what: string, context: Record<string, unknown> | undefined]>([
    ['Kubernetes', { platform: 'kubernetes', namespace: 'n', clusterid: 'c', instance_name: 'i' }],
    ['an unknown platform', { platform: 'mainframe', partition: 7 }],
    ['no platform', { request_id: 'r', organization_guid: 'o', space_guid: 's' }],
    ['nobody', {}],
    ['no context at all', undefined],
  ])('A provision is processed with the context of %s [PRV-17]', async (_what, context) => {
    await expectMade('trial-timing/quick', { context });
  });

  test('A provision is processed with parameters that the schema allows, and they are kept [PRV-18, FET-07]', async () => {
    const id = await expectMade('trial-timing/quick', { parameters: { size: 10 } });
    expect(await fetch(id)).toMatchObject({ body: { parameters: { size: 10 } } });
  });

  test.each([{ version: '2.1.0' }, { version: '2.1.0', description: 'anything' }, {}])(
    'A provision is processed with a maintenance_info of %j [PRV-20.match]',
    async (maintenance_info) => {
      const id = await expectMade('trial-features/maintained', { maintenance_info });
      expect(await fetch(id)).toMatchObject({ body: { maintenance_info: { version: '2.1.0' } } });
    },
  );
});

describe('A maintenance version that is not the plan’s', () => {
  test.each([
    ['trial-features/maintained', '2.0.0'],
    ['trial-features/maintained', '2.1.1'],
    ['trial-features/maintained', ''],
    ['trial-timing/quick', '1.0.0'],
  ])(
    'A maintenance version that is not the plan’s is a MaintenanceInfoConflict: %s with "%s" [PRV-20.conflict, PRV-20.none, STS-04, CCN-02]',
    async (plan, version) => {
      const id = randomUUID();
      const answer = await refused(id, () =>
        provision(id, plan, { body: { maintenance_info: { version } } }),
      );
      expect(answer).toMatchObject({ status: 422, body: { error: 'MaintenanceInfoConflict' } });
    },
  );
});
