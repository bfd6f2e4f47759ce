import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { idsOf, instancePlatform, pathOf, type Answer, type Ids } from '../support/instance-platform.ts';
import {
  cloudController,
  eden,
  korifi,
  serviceCatalog,
  serviceManager,
} from '../support/platform-requests.ts';
import type { Asked } from '../support/whole-broker.ts';

/** The loops of real clients, through a slow success and through failures, at once and slow (decisions 13, 34 and 35). */

const { ask, made } = instancePlatform({}, { brokers: 2 });
/** One that waits for what is done at once, however busy the machine. */
const patient = instancePlatform({ ASYNC_PATIENCE: '15s' });

const failing = { service_id: idsOf('trial-failing/provision').service_id };
const failings: readonly [string, Ids, RegExp][] = [
  ['at once', { ...failing, ...idsOf('trial-failing/provision') }, /There is no room for this trial\./],
  ['after a moment', idsOf('moments/failing'), /It was not to be\./],
];

interface Client {
  readonly provision: (ids: Ids) => Asked;
  readonly poll: (ids: Ids, operation?: string) => Asked;
  readonly remove: (ids: Ids) => Asked;
}
const clients: readonly [string, Client][] = [
  ['Cloud Controller', cloudController],
  ['Service Catalog', serviceCatalog],
  ['Service Manager', serviceManager],
  ['eden', { ...eden, poll: (ids, operation = '') => eden.poll(ids, operation) }],
];

const put = (id: string, asked: Asked) => ask('put', pathOf(id), asked);
const poll = (path: string, asked: Asked) => ask('get', `${path}/last_operation`, asked);
const patientPoll = (path: string, asked: Asked) => patient.ask('get', `${path}/last_operation`, asked);

/** As long as something is in progress. */
async function polled(path: string, asked: Asked): Promise<Answer> {
  for (;;) {
    const answer = await poll(path, asked);
    if (answer.body.state !== 'in progress') return answer;
    await wait(50);
  }
}

describe.each(clients)('%s, which asks once and then polls,', (_who, client) => {
  test.each(failings)(
    'A platform that asks once and then polls hears of a create that fails %s, in the words of the service, and cleans up [ORP-01, PLT-37]',
    async (_when, ids, words) => {
      const id = randomUUID();
      const { status, body } = await put(id, client.provision(ids));
      expect(status).toBe(202);
      const told = await polled(pathOf(id), client.poll(ids, body.operation));
      expect(told).toMatchObject({
        status: 200,
        body: { state: 'failed', description: expect.stringMatching(words) },
      });
      const removed = await ask('delete', pathOf(id), client.remove(ids));
      expect([200, 202]).toContain(removed.status);
    },
  );

  test('A platform that asks once and then polls sees a slow create and a slow removal through to their ends [PLT-37, LOP-10]', async () => {
    const ids = idsOf('moments/brief');
    const id = randomUUID();
    const created = await put(id, client.provision(ids));
    expect(created.status).toBe(202);
    expect(await polled(pathOf(id), client.poll(ids, created.body.operation))).toMatchObject({
      body: { state: 'succeeded' },
    });
    const removed = await ask('delete', pathOf(id), client.remove(ids));
    expect(removed.status).toBe(202);
    const last = await polled(pathOf(id), client.poll(ids, removed.body.operation));
    expect(last).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    expect((await ask('delete', pathOf(id), client.remove(ids))).status).toBe(410);
  });
});

describe('Korifi, which repeats its request before each poll,', () => {
  /** Until a poll says that it is over, or the request is answered in full. */
  async function reconciled(once: () => Promise<Answer>, path: string, ids: Ids) {
    const operations = new Set<string | undefined>();
    for (;;) {
      const answer = await once();
      if (answer.status !== 202) return { answer, operations };
      operations.add(answer.body.operation);
      const told = await poll(path, korifi.poll(ids, answer.body.operation));
      if (told.body.state === 'failed') return { answer: told, operations };
      await wait(30);
    }
  }

  test.each(failings)(
    'Korifi, which repeats its request before each poll, hears of a create that fails %s after one attempt [PLT-35]',
    async (_when, ids, words) => {
      const id = randomUUID();
      const create = () => put(id, korifi.provision(ids));
      const { answer, operations } = await reconciled(create, pathOf(id), ids);
      expect(answer.body).toMatchObject({ state: 'failed', description: expect.stringMatching(words) });
      expect(operations.size).toBe(1);
      const anew = await create();
      expect(anew.status).toBe(202);
      expect(operations.has(anew.body.operation)).toBe(false);
    },
  );

  test('Korifi, which repeats its request before each poll, hears of a bind that fails after one attempt, and binds once when it succeeds [PLT-35, BND-07]', async () => {
    for (const [plan, state] of [
      ['moments/failing-bind', 'failed'],
      ['moments/brief', undefined],
    ] as const) {
      const id = await made(plan);
      const ids = idsOf(plan);
      const once = () => ask('put', pathOf(id, 'b'), korifi.bindKey(ids));
      const { answer, operations } = await reconciled(once, pathOf(id, 'b'), ids);
      expect(answer.body.state).toBe(state);
      expect(operations.size).toBe(1);
    }
  });

  test('Korifi, which repeats its request before each poll, hears of a removal that fails after one attempt, and removes with the next [PLT-35, DEP-13]', async () => {
    const ids = idsOf('moments/failing-removal');
    const id = await made('moments/failing-removal');
    const once = () => ask('delete', pathOf(id), korifi.remove(ids));
    const failed = await reconciled(once, pathOf(id), ids);
    expect(failed.answer.body).toMatchObject({ state: 'failed', description: 'It would not go.' });
    expect(failed.operations.size).toBe(1);
    expect((await reconciled(once, pathOf(id), ids)).answer.status).toBe(410);
  });
});

describe('A bind that fails at once', () => {
  const ids = idsOf('trial-failing/bind');
  const cf = cloudController.headers();
  const { 'x-api-info-location': _api, ...proxied } = cf;
  const { 'x-broker-api-originating-identity': identity = '', ...nameless } = cf;

  test.each<[string, number, Asked['headers'], object]>([
    ['a Cloud Controller', 500, cf, {}],
    ['one without a user', 500, nameless, {}],
    ['one that only says who its user is', 500, { 'x-broker-api-originating-identity': identity }, {}],
    ['one that only has a context', 500, {}, { context: { platform: 'cloudfoundry' } }],
    ['one behind a proxy', 500, proxied, {}],
    ['Korifi', 202, korifi.headers, {}],
    ['Service Manager for itself', 202, serviceManager.headers(), { context: serviceManager.context }],
    ['another platform for such a user', 202, proxied, { context: { platform: 'another' } }],
  ])('A bind that fails at once is told to %s with %i', async (_who, status, headers, more) => {
    const id = await patient.made('trial-failing/bind');
    const asked = { query: { accepts_incomplete: 'true' }, headers, body: { ...ids, ...more } };
    const answer = await patient.ask('put', pathOf(id, 'b'), asked);
    expect(answer.status).toBe(status);
    const sentence = 'The trial gives nobody a password.';
    const told =
      status === 500 ? answer : await patientPoll(pathOf(id, 'b'), korifi.poll(ids, answer.body.operation));
    expect(told.body.description).toBe(sentence);
  });
});

describe('A platform that has lost the answer to a change of plan', () => {
  const [before, after] = [idsOf('moments/brief-update'), idsOf('moments/brief-removal')];
  const stale = { ...before, previous_values: { plan_id: before.plan_id } };

  async function changed(): Promise<string> {
    const id = await patient.made('moments/brief-update');
    const sent = await patient.update(id, 'moments/brief-update', {
      body: { plan_id: after.plan_id },
      sync: true,
    });
    expect(sent.status).toBe(200);
    return id;
  }

  test('A platform that has lost the answer to a change of plan fetches, polls, renames, unbinds and deletes with the plan from before, and is told what helps a bind [PLT-38, UPD-20]', async () => {
    const id = await changed();
    expect((await patient.fetch(id, { ...before })).body).toMatchObject(after);
    expect((await patientPoll(pathOf(id), cloudController.poll(before))).body).toMatchObject({
      state: 'succeeded',
    });
    const renamed = { ...stale, context: cloudController.context('renamed'), parameters: {} };
    expect((await patient.update(id, 'moments/brief-update', { body: renamed })).status).toBe(200);
    expect((await patient.fetch(id)).body).toMatchObject(after);

    const refused = await patient.bind(id, 'b', 'moments/brief-update');
    expect(refused).toMatchObject({
      status: 400,
      body: { description: expect.stringContaining("'brief-removal'") },
    });
    const again = { ...after, previous_values: { plan_id: before.plan_id } };
    expect((await patient.update(id, 'moments/brief-update', { body: again })).status).toBe(200);
    expect((await patient.bind(id, 'b', 'moments/brief-removal')).status).toBe(201);
    expect((await patient.unbind(id, 'b', 'moments/brief-update', { sync: true })).status).toBe(200);
    expect((await patient.unbind(id, 'b', 'moments/brief')).status).toBe(410);
    expect((await patient.deprovision(id, 'moments/brief')).status).toBe(400);
    expect((await patient.deprovision(id, 'moments/brief-update', { sync: true })).status).toBe(200);
  });
});
