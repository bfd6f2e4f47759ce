import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform } from '../support/instance-platform.ts';

/** spec.md, Fetching a Service Instance. */

const { provision, update, deprovision, fetch, lastOperation, ended, made } = instancePlatform();

const sync = true;

describe('A service instance that is there', () => {
  test('A service instance that is there is told with its service, plan, parameters and dashboard [FET-01, FET-11, FET-07, FET-08]', async () => {
    const id = randomUUID();
    const parameters = { size: 4, label: 'blue' };
    const { body } = await provision(id, 'moments/failing-bind', { sync, body: { parameters } });
    expect(await fetch(id)).toMatchObject({
      status: 200,
      body: { ...idsOf('moments/failing-bind'), parameters, dashboard_url: body.dashboard_url },
    });
  });

  test('A service instance that is there is told with the version and the labels that it has [FET-09, FET-11]', async () => {
    const maintained = await fetch(await made('trial-features/maintained'));
    expect(maintained.body).toMatchObject({ maintenance_info: { version: '2.1.0' } });
    const id = randomUUID();
    const { body } = await provision(id, 'trial-features/labelled', { sync });
    expect((await fetch(id)).body['metadata']).toEqual(body['metadata']);
  });

  test('A service instance that is there without parameters, dashboard, version and labels is told without them [FET-11, CCN-01]', async () => {
    const { body } = await fetch(await made('bare/only'));
    expect(body).toEqual({ ...idsOf('bare/only'), parameters: {} });
  });

  test.each<[hints: string, query: Record<string, string>]>([
    ['no hints', {}],
    ['the right hints', { ...idsOf('trial-timing/quick') }],
    ['empty hints', { service_id: '', plan_id: '' }],
    ['wrong hints', { service_id: randomUUID(), plan_id: randomUUID() }],
    ['a query that nobody knows', { 'a[b]': 'c', accepts_incomplete: 'maybe' }],
  ])('A service instance that is there is told to a request with %s [FET-06]', async (_hints, query) => {
    const id = await made('trial-timing/quick');
    expect(await fetch(id, query)).toMatchObject({ status: 200, body: idsOf('trial-timing/quick') });
  });

  test('A service instance that is there is told even if its offering does not promise that [FET-10]', async () => {
    expect(await fetch(await made('bare/only'))).toMatchObject({ status: 200 });
  });
});

describe('A service instance that is not there', () => {
  test.each([{}, idsOf('trial-timing/quick')])(
    'A service instance that is not there and never was is 404 with the hints %j [FET-02]',
    async (hints) => {
      expect(await fetch(randomUUID(), { ...hints })).toMatchObject({ status: 404 });
    },
  );

  test('A service instance that is not there yet is 404, with and without hints [FET-03]', async () => {
    const id = randomUUID();
    await provision(id, 'moments/endless');
    expect(await fetch(id)).toMatchObject({ status: 404 });
    expect(await fetch(id, { ...idsOf('moments/endless') })).toMatchObject({ status: 404 });
    await deprovision(id, 'moments/endless');
  });

  test('A service instance that is not there any more is 404 [FET-04]', async () => {
    const id = await made('trial-timing/quick');
    await deprovision(id, 'trial-timing/quick', { sync });
    expect(await fetch(id)).toMatchObject({ status: 404 });
  });

  test.concurrent(
    'A service instance that is not there any more is 404 also when it went slowly [FET-04, LOP-11]',
    async () => {
      const id = await made('moments/brief-removal');
      expect(await deprovision(id, 'moments/brief-removal')).toMatchObject({ status: 202 });
      expect(await fetch(id)).toMatchObject({ status: 200 });
      await ended(id);
      expect(await fetch(id)).toMatchObject({ status: 404 });
    },
  );

  test.concurrent(
    'A service instance that is not there because it failed to be made is 404 [ORP-01]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/failing');
      await ended(id);
      expect(await fetch(id)).toMatchObject({ status: 404 });
    },
  );
});

test.concurrent(
  'An instance that is being updated is told to be busy, and after that as it is then [FET-05]',
  async () => {
    const id = await made('moments/brief-update');
    const { operation = '' } = (
      await update(id, 'moments/brief-update', { body: { parameters: { size: 2 } } })
    ).body;
    expect(await fetch(id)).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    expect(await lastOperation(id, { operation })).toMatchObject({ body: { state: 'in progress' } });
    await ended(id, { operation });
    expect(await fetch(id)).toMatchObject({ status: 200, body: { parameters: { size: 2 } } });
  },
);
