import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform } from '../support/instance-platform.ts';

/** spec.md, Updating a Service Instance. */

const platform = instancePlatform();
const { provision, update, deprovision, fetch, lastOperation, ended, made, refused, bind, thingsOf } =
  platform;

const sync = true;
const sized = (size: number) => ({ parameters: { size } });

describe('An update of the parameters', () => {
  test('An update of the parameters is done within the request and answered with 200 [UPD-01, UPD-26]', async () => {
    const id = await made('trial-timing/quick', { body: sized(2) });
    const answer = await update(id, 'trial-timing/quick', { sync, body: sized(3) });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).not.toHaveProperty('operation');
    expect(await fetch(id)).toMatchObject({ body: sized(3) });
  });

  test.concurrent(
    'An update of the parameters that takes longer is answered with 202 and ends as succeeded [UPD-01, UPD-26, LOP-14]',
    async () => {
      const id = await made('moments/brief-update', { body: sized(2) });
      const { status, body } = await update(id, 'moments/brief-update', { body: sized(3) });
      expect({ status, body }).toMatchObject({
        status: 202,
        body: { operation: expect.stringMatching(/./) },
      });
      const { operation = '' } = body;
      expect(await ended(id, { operation })).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      expect(await fetch(id)).toMatchObject({ body: sized(3) });
    },
  );

  test.concurrent(
    'An update of the parameters is waited for when the platform cannot wait [UPD-11, STS-02]',
    async () => {
      const id = await made('moments/brief-update');
      expect(await update(id, 'moments/brief-update', { sync, body: sized(3) })).toMatchObject({
        status: 200,
      });
      expect(await fetch(id)).toMatchObject({ body: sized(3) });
    },
  );

  test('An update of the parameters of a plan that needs patience is refused to a platform without it [UPD-11, UPD-15]', async () => {
    const id = await made('moments/async-only');
    const answer = await refused(id, () => update(id, 'moments/async-only', { sync, body: sized(3) }));
    expect(answer).toMatchObject({ status: 422, body: { error: 'AsyncRequired' } });
  });

  test('An update of the parameters leaves the parameters it does not name, and the plan [UPD-06]', async () => {
    const id = await made('trial-timing/quick', { body: sized(2) });
    for (const body of [{}, { parameters: {} }, { parameters: null }, { plan_id: null, context: null }]) {
      expect(await update(id, 'trial-timing/quick', { sync, body })).toMatchObject({ status: 200 });
    }
    expect(await fetch(id)).toMatchObject({ body: { ...idsOf('trial-timing/quick'), ...sized(2) } });
  });

  test('An update of the parameters is refused when the schema does not allow them [UPD-17, UPD-15]', async () => {
    const id = await made('trial-timing/quick', { body: sized(2) });
    for (const parameters of [{ size: 0 }, { size: 'big' }, { size: 3, colour: 'red' }]) {
      const answer = await refused(id, () => update(id, 'trial-timing/quick', { body: { parameters } }));
      expect(answer).toMatchObject({
        status: 400,
        body: { description: expect.stringMatching(/size|colour/) },
      });
    }
  });
});

describe('An update of the plan', () => {
  const { plan_id } = idsOf('moments/brief-too');

  test.concurrent('An update of the plan is applied, also to what was made [UPD-05]', async () => {
    const id = await made('moments/brief-update', { body: sized(2) });
    await update(id, 'moments/brief-update', { body: { plan_id } });
    expect(await ended(id)).toMatchObject({ body: { state: 'succeeded' } });
    expect(await fetch(id)).toMatchObject({ body: { ...idsOf('moments/brief-too'), ...sized(2) } });
    expect((await thingsOf(id)).join()).toContain(plan_id);
  });

  test.concurrent(
    'An update of the plan is polled with the old plan as with the new one [UPD-20]',
    async () => {
      const id = await made('moments/brief-update');
      const { operation = '' } = (await update(id, 'moments/brief-update', { body: { plan_id } })).body;
      const polls = [idsOf('moments/brief-update'), idsOf('moments/brief-too')];
      for (const ids of polls) {
        const during = await lastOperation(id, { ...ids, operation });
        expect(during).toMatchObject({ status: 200, body: { state: 'in progress' } });
      }
      await ended(id, { ...polls[0], operation });
      for (const ids of polls) {
        const after = await lastOperation(id, { ...ids, operation });
        expect(after).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      }
    },
  );

  test('An update of the plan and the parameters together applies both [UPD-25]', async () => {
    const id = await made('moments/failing-bind', { body: { parameters: { size: 2, label: 'blue' } } });
    const body = { plan_id: idsOf('moments/failing-removal').plan_id, ...sized(5) };
    expect(await update(id, 'moments/failing-bind', { sync, body })).toMatchObject({ status: 200 });
    expect(await fetch(id)).toMatchObject({
      body: { ...idsOf('moments/failing-removal'), parameters: { size: 5, label: 'blue' } },
    });
  });

  test('An update of the plan of an instance whose plan is fixed is a 422 without an error word [UPD-07, UPD-05, UPD-15]', async () => {
    const id = await made('trial-features/fixed');
    const body = { plan_id: idsOf('trial-features/plain').plan_id };
    const answer = await refused(id, () => update(id, 'trial-features/fixed', { body }));
    expect(answer).toMatchObject({ status: 422, body: { description: expect.stringContaining('fixed') } });
    expect(answer.body).not.toHaveProperty('error');
    expect(await fetch(id)).toMatchObject({ body: idsOf('trial-features/fixed') });
  });

  test('An update of the plan to the plan it has is no change of plan, whatever the plan allows [UPD-08]', async () => {
    for (const plan of ['trial-features/fixed', 'trial-timing/quick', 'bare/only']) {
      const id = await made(plan);
      expect(await update(id, plan, { body: idsOf(plan) })).toMatchObject({ status: 200 });
    }
  });

  test.each<[what: string, body: object]>([
    ['an unknown plan', { plan_id: randomUUID() }],
    ['a plan of another service', { plan_id: idsOf('bare/only').plan_id }],
    ['an unknown service', { service_id: randomUUID() }],
    ['another service', { service_id: idsOf('bare/only').service_id }],
    ['another service and its plan', idsOf('bare/only')],
  ])('An update of the plan to %s is refused and changes nothing [UPD-03, UPD-15]', async (_what, body) => {
    const id = await made('trial-timing/quick');
    const answer = await refused(id, () =>
      update(id, 'trial-timing/quick', { body: { ...sized(3), ...body } }),
    );
    expect(answer).toMatchObject({
      status: 400,
      body: { description: expect.stringMatching(/plan_id|service_id/) },
    });
  });
});

describe('An update is refused with 400 and changes nothing', () => {
  test.each<readonly [field: string, value: unknown]>([
    ...[undefined, '', null, 7, {}].map((value) => ['service_id', value] as const),
    ...['', 7, {}].map((value) => ['plan_id', value] as const),
    ...['text', 7, ['a']].map((value) => ['parameters', value] as const),
    ...['text', 7].map((value) => ['context', value] as const),
    ['previous_values', 'text'],
  ])(
    'An update is refused with 400 and changes nothing with a %s of %j [UPD-02, UPD-18, UPD-15]',
    async (field, value) => {
      const id = await made('trial-timing/quick', { body: sized(2) });
      const body = { ...sized(3), [field]: value };
      const answer = await refused(id, () => update(id, 'trial-timing/quick', { body }));
      expect(answer).toMatchObject({ status: 400, body: { description: expect.stringContaining(field) } });
      expect(await fetch(id)).toMatchObject({ body: sized(2) });
    },
  );
});

describe('An update of what is not there', () => {
  test('An update of what is not there is 404 and makes nothing [UPD-04]', async () => {
    const id = randomUUID();
    expect(await refused(id, () => update(id, 'trial-timing/quick', { body: sized(3) }))).toMatchObject({
      status: 404,
    });
    expect(await deprovision(id, 'trial-timing/quick')).toMatchObject({ status: 410 });
  });

  test('An update of what is not there any more is 404 [UPD-22]', async () => {
    const id = await made('trial-timing/quick');
    await deprovision(id, 'trial-timing/quick', { sync });
    expect(await refused(id, () => update(id, 'trial-timing/quick', { body: sized(3) }))).toMatchObject({
      status: 404,
    });
  });
});

describe('An update that makes nothing', () => {
  test('An update that makes nothing because nothing changes is answered with 200 [UPD-21]', async () => {
    const id = await made('moments/endless-update', { body: sized(2) });
    for (const body of [{}, sized(2), idsOf('moments/endless-update')]) {
      expect(await update(id, 'moments/endless-update', { body })).toMatchObject({ status: 200 });
    }
  });

  test('An update that makes nothing because only the context changes is accepted [UPD-09]', async () => {
    const id = await made('moments/endless-update');
    const context = { platform: 'cloudfoundry', instance_name: 'renamed' };
    expect(await update(id, 'moments/endless-update', { body: { context } })).toMatchObject({ status: 200 });
  });

  test.each<[what: string, previous: unknown]>([
    [
      'the right ones',
      { ...idsOf('trial-timing/quick'), organization_id: 'an-organization', space_id: 'a-space' },
    ],
    ['only a plan', { plan_id: 'another' }],
    ['a null in them', { plan_id: 'another', maintenance_info: null }],
    ['odd ones', { plan_id: 7, service_id: ['a'], vendor: { deep: null } }],
    ['null', null],
    ['none', undefined],
  ])(
    'An update that makes nothing is not disturbed by previous_values: %s [UPD-10, UPD-19]',
    async (_what, previous_values) => {
      const id = await made('trial-timing/quick');
      const body = { ...sized(2), previous_values };
      expect(await update(id, 'trial-timing/quick', { sync, body })).toMatchObject({ status: 200 });
    },
  );
});

test('Members that nobody knows are ignored by an update [UPD-19]', async () => {
  const id = await made('trial-timing/quick');
  const odd = { vendor: { deep: [null] }, text: 'x' };
  const body = { ...sized(2), ...odd, context: { platform: 'kubernetes', ...odd }, previous_values: odd };
  expect(await update(id, 'trial-timing/quick', { sync, body })).toMatchObject({ status: 200 });
  expect(await fetch(id)).toMatchObject({ body: sized(2) });
});

describe('While an update is in progress', () => {
  test('While an update is in progress, the same one is answered with 202 and the same operation [UPD-12]', async () => {
    const id = await made('moments/endless-update');
    const { body } = await update(id, 'moments/endless-update', { body: sized(2) });
    expect(body.operation).toEqual(expect.any(String));
    const again = await update(id, 'moments/endless-update', { body: sized(2) });
    expect(again).toMatchObject({ status: 202, body: { operation: body.operation } });
  });

  test('While an update is in progress, another one is a ConcurrencyError and changes nothing [UPD-13, UPD-15]', async () => {
    const id = await made('moments/endless-update');
    await update(id, 'moments/endless-update', { body: sized(2) });
    for (const body of [
      sized(3),
      { plan_id: idsOf('moments/brief').plan_id },
      { ...sized(2), ...idsOf('moments/brief') },
    ]) {
      const answer = await refused(id, () => update(id, 'moments/endless-update', { body }));
      expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    }
  });

  test('While an update is in progress, a bind is a ConcurrencyError [BND-25]', async () => {
    const id = await made('moments/endless-update');
    await update(id, 'moments/endless-update', { body: sized(2) });
    const answer = await refused(id, () => bind(id, 'b', 'moments/endless-update'));
    expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
  });
});

test.concurrent(
  'An update of an instance in the making is refused and does not disturb it [UPD-14]',
  async () => {
    const id = randomUUID();
    const { operation = '' } = (await provision(id, 'moments/brief', { body: sized(2) })).body;
    const answer = await update(id, 'moments/brief', { body: sized(3) });
    expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    expect(await ended(id, { operation })).toMatchObject({ body: { state: 'succeeded' } });
    expect(await fetch(id)).toMatchObject({ status: 200, body: sized(2) });
  },
);

describe('The maintenance version of an update', () => {
  test('The maintenance version of an update that the plan has is accepted [UPD-16]', async () => {
    const id = await made('trial-features/maintained');
    const body = { maintenance_info: { version: '2.1.0' } };
    expect(await update(id, 'trial-features/maintained', { sync, body })).toMatchObject({ status: 200 });
    expect(await fetch(id)).toMatchObject({ body });
  });

  test('The maintenance version of an update that the new plan has is accepted together with the plan [UPD-16]', async () => {
    const id = await made('trial-features/plain');
    const body = { ...idsOf('trial-features/maintained'), maintenance_info: { version: '2.1.0' } };
    expect(await update(id, 'trial-features/plain', { sync, body })).toMatchObject({ status: 200 });
    expect(await fetch(id)).toMatchObject({ body });
  });

  test('The maintenance version of an update that the plan does not have is a MaintenanceInfoConflict [UPD-16, UPD-15]', async () => {
    const id = await made('trial-features/maintained');
    const body = { maintenance_info: { version: '3.0.0' } };
    const answer = await refused(id, () => update(id, 'trial-features/maintained', { body }));
    expect(answer).toMatchObject({ status: 422, body: { error: 'MaintenanceInfoConflict' } });
  });
});

describe('An update that fails', () => {
  test.concurrent(
    'An update that fails is told as failed with what may be done now, leaves the old values, and the instance can be deleted [UPD-23, UPD-24]',
    async () => {
      const id = await made('moments/failing-update', { body: sized(2) });
      const body = { ...sized(3), plan_id: idsOf('moments/failing-update').plan_id };
      const { operation = '' } = (await update(id, 'moments/failing-update', { body })).body;
      expect(await ended(id, { operation })).toMatchObject({
        status: 200,
        body: {
          state: 'failed',
          description: 'It would not change.',
          instance_usable: true,
          update_repeatable: true,
        },
      });
      expect(await fetch(id)).toMatchObject({
        status: 200,
        body: { ...idsOf('moments/failing-update'), ...sized(2) },
      });
      expect(await deprovision(id, 'moments/failing-update', { sync })).toMatchObject({ status: 200 });
    },
  );

  test.each<[plan: string, usable: boolean, repeatable: boolean]>([
    ['trial-failing/update', true, true],
    ['trial-failing/update-final', true, false],
  ])(
    'An update that fails within the request says the same in its error: %s [UPD-23, UPD-24, ERR-03]',
    async (plan, usable, repeatable) => {
      const id = await made(plan, { body: sized(2) });
      expect(await update(id, plan, { sync, body: sized(3) })).toMatchObject({
        status: 500,
        body: { instance_usable: usable, update_repeatable: repeatable },
      });
      expect(await fetch(id)).toMatchObject({ status: 200, body: sized(2) });
    },
  );

  test.concurrent(
    'An update that fails may say that the instance cannot be used any more [UPD-23]',
    async () => {
      const id = await made('trial-failing/update-unusable');
      await update(id, 'trial-failing/update-unusable', { body: sized(3) });
      expect(await ended(id)).toMatchObject({
        body: { state: 'failed', instance_usable: false, update_repeatable: false },
      });
      expect(await deprovision(id, 'trial-failing/update-unusable', { sync })).toMatchObject({ status: 200 });
    },
  );

  test.concurrent('An update that fails may be asked for again [UPD-23]', async () => {
    const id = await made('moments/failing-update');
    const first = await update(id, 'moments/failing-update', { body: sized(3) });
    await ended(id);
    const second = await update(id, 'moments/failing-update', { body: sized(3) });
    expect(second).toMatchObject({ status: 202 });
    expect(second.body.operation).not.toBe(first.body.operation);
    await ended(id);
  });
});
