import { randomUUID } from 'node:crypto';
import { idsOf } from '../support/instance-platform.ts';
import {
  bindingPath,
  incomplete,
  operationIn,
  trialPlatform,
  type Members,
} from '../support/trial-platform.ts';
import { invalid, refusedBinds } from './refused-binds.ts';

/** spec.md, Binding: what is answered to a request to bind. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });

// It does not let requests wait long.
const hasty = trialPlatform({ SYNC_PATIENCE: '300ms' });
const { ask, bind, binding, instance, unbind, untilEnded } = platform;
const refusedBind = refusedBinds(platform);
const asyncRequired = 'This service plan requires client support for asynchronous service operations.';

describe('A new binding', () => {
  test.each(['echo/large', 'invert/small', 'trial-timing/quick', 'trial-features/plain'])(
    'A new binding of %s is answered 201 with credentials that travel well, and told again when it is fetched [BND-01, BND-02, BND-18, BND-30]',
    async (plan) => {
      const { told, path } = await binding(await instance(plan));
      expect(Object.keys(told)).toEqual(['credentials']);
      for (const [key, value] of Object.entries(told.credentials ?? {})) {
        expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
        expect(value).toEqual(expect.stringMatching(/./));
      }
      expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
    },
  );

  test('A new binding of a plan that needs time is refused with AsyncRequired unless the platform waits, and nothing is made [BND-02, STS-03]', async () => {
    const on = await instance('moments/async-only', { query: incomplete });
    const answer = { status: 422, body: { error: 'AsyncRequired', description: asyncRequired } };
    expect(await refusedBind(on, {})).toEqual(answer);
    expect(await refusedBind(on, { query: { accepts_incomplete: 'false' } })).toEqual(answer);
    expect(await refusedBind(on, { query: { accepts_incomplete: '' } })).toEqual(answer);
    expect([201, 202]).toContain((await bind(on, { query: incomplete })).status);
  });

  test('A new binding that takes its time is answered 202 with nothing of itself; its credentials can be fetched when it is done [BND-01, BND-29, BND-30, CAT-45, FEB-08]', async () => {
    const on = await instance('moments/brief', { query: incomplete });
    const id = randomUUID();
    const answer = await bind(on, { id, query: incomplete });
    expect({ status: answer.status, body: answer.body as object }).toEqual({
      status: 202,
      body: { operation: expect.any(String) as string },
    });
    const path = bindingPath(on, id);
    expect((await untilEnded(path, operationIn(answer))).body).toMatchObject({ state: 'succeeded' });
    const fetched = await ask('get', path);
    expect(fetched.body).toMatchObject({
      credentials: { password: expect.stringMatching(/^.{24}$/) as string },
    });
    const again = await bind(on, { id, query: incomplete });
    expect(again.status).toBe(200);
    expect({ ...(again.body as object), parameters: {} }).toEqual(fetched.body);
  });

  test('A new binding is made at once although the instance needed time, as those need it who never wait [BND-02]', async () => {
    const on = await instance('trial-timing/async-instances', { query: incomplete });
    expect((await bind(on)).status).toBe(201);
  });

  test('A new binding whose accepts_incomplete is neither true nor false is refused [BND-02, STS-02]', async () => {
    const on = await instance('trial-timing/quick');
    const answer = await refusedBind(on, { query: { accepts_incomplete: 'maybe' } });
    expect(answer).toEqual(invalid('accepts_incomplete'));
  });

  test('A new binding that fails leaves nothing: it is not found, can be unbound, and the id is free again [BND-04, ORP-02]', async () => {
    const on = await instance('trial-failing/bind');
    const before = await platform.traces();
    const failing = { path: bindingPath(on, 'failing'), instance: on };
    const { status, body } = await bind(on, { id: 'failing' });
    expect({ status, body }).toEqual({
      status: 500,
      body: { error: 'OperationFailed', description: 'The trial gives nobody a password.' },
    });
    expect((await ask('get', failing.path)).status).toBe(404);
    expect((await bind(on, { id: 'failing' })).status).toBe(500);
    expect([200, 410]).toContain((await unbind(failing)).status);
    expect((await unbind(failing)).status).toBe(410);
    expect(filesAndBindings(await platform.traces())).toEqual(filesAndBindings(before));
  });

  test('A new binding that fails after all was made is undone, and polled as failed without flags of instances [BND-30, ORP-02, ERR-03]', async () => {
    const on = await instance('trial-failing/bind-late');
    const before = await platform.traces();
    const late = { path: bindingPath(on, 'late'), instance: on };
    const answer = await bind(on, { id: 'late', query: incomplete });
    expect(answer.status).toBe(202);
    const ended = await untilEnded(late.path, operationIn(answer));
    expect(ended.body).toEqual({ state: 'failed', description: 'The password of the trial does not work.' });
    expect((await ask('get', late.path)).status).toBe(404);
    expect([200, 410]).toContain((await unbind(late)).status);
    expect((await unbind(late)).status).toBe(410);
    expect(filesAndBindings(await platform.traces())).toEqual(filesAndBindings(before));
  });
});

/** Without the operations, which are history. */
function filesAndBindings(traces: readonly string[]): readonly string[] {
  return traces.filter((line) => !/^(operations|service_instances) /.test(line));
}

describe('The same request again', () => {
  test.each(['echo/large', 'trial-features/rotatable', 'trial-volume/shared'])(
    'A repeated bind for a binding of %s is answered 200 with the same binding, however often, and one unbind ends it [BND-03, BND-04, BND-05]',
    async (plan) => {
      const on = await instance(plan);
      const one = await binding(on);
      const before = await platform.traces();
      for (const query of [{}, incomplete, {}]) {
        const { status, body } = await bind(on, { id: one.id, query });
        expect({ status, body }).toEqual({ status: 200, body: one.told });
      }
      expect(await platform.traces()).toEqual(before);
      expect((await unbind(one)).status).toBe(200);
      expect((await unbind(one)).status).toBe(410);
    },
  );

  test('A repeated bind is known whatever the context says, and with parameters left out, null or empty [BND-03]', async () => {
    const on = await instance('trial-timing/quick');
    const { id } = await binding(on, { body: { context: { platform: 'cloudfoundry', space_name: 'old' } } });
    const same = [
      {},
      { parameters: {} },
      { parameters: null },
      { context: { platform: 'cloudfoundry', space_name: 'new' } },
      { context: {} },
      { bind_resource: {} },
      { app_guid: '', bind_resource: { app_guid: '' } },
    ];
    for (const body of same) expect((await bind(on, { id, body })).status).toBe(200);
  });

  test('A repeated bind while it is being made is answered 202 with the same operation; with other parameters it is a conflict [BND-07, BND-08]', async () => {
    const on = await instance('moments/endless-bind');
    const id = randomUUID();
    const body = { parameters: { role: 'reader' } };
    const first = await bind(on, { id, body, query: incomplete });
    const again = await bind(on, { id, body, query: incomplete });
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    const other = await refusedBind(on, { id, body: { parameters: { role: 'writer' } }, query: incomplete });
    expect(other).toMatchObject({ status: 409, body: { error: 'Conflict' } });
    const path = bindingPath(on, id);
    expect((await ask('get', `${path}/last_operation`, { query: operationIn(first) })).body).toMatchObject({
      state: 'in progress',
    });
    expect((await unbind({ path, instance: on })).status).toBe(200);
  });
});

describe('Who waits for a binding', () => {
  test('Who waits for a binding that another request is having made gets it when it is there [BND-02, BND-07]', async () => {
    const on = await instance('turning/brief');
    const id = randomUUID();
    expect((await bind(on, { id, query: incomplete })).status).toBe(202);
    const { status, body } = await bind(on, { id });
    expect(status).toBe(200);
    expect({ ...(body as object), parameters: {} }).toEqual((await ask('get', bindingPath(on, id))).body);
  });

  test('Who waits for a binding that cannot be fetched is never answered 202: its credentials come with the answer [BND-30, CAT-45]', async () => {
    const on = await instance('unfetchable/brief-bind');
    const sent = { id: randomUUID(), query: incomplete };
    const answers = await Promise.all([bind(on, sent), bind(on, sent)]);
    const [first, second] = answers.toSorted((a, b) => b.status - a.status);
    expect([first?.status, second?.status]).toEqual([201, 200]);
    expect(first?.body).toEqual({ credentials: { password: expect.stringMatching(/^.{24}$/) as string } });
    expect(second?.body).toEqual(first?.body);
  });

  test('Who waits for a binding longer than a broker lets requests wait is told that it was given up; nothing of it is left [BND-02, ORP-02]', async () => {
    const on = await hasty.instance('moments/endless-bind', { query: incomplete });
    const one = { path: bindingPath(on, 'endless'), instance: on };
    const before = filesAndBindings(await hasty.traces());
    const { status, body } = await hasty.bind(on, { id: 'endless' });
    expect({ status, body: body as object }).toMatchObject({
      status: 500,
      body: { error: 'OperationFailed', description: expect.stringContaining('given up') as string },
    });
    expect((await hasty.untilEnded(one.path)).body).toMatchObject({ state: 'failed' });
    expect((await hasty.ask('get', one.path)).status).toBe(404);
    expect([200, 410]).toContain((await hasty.unbind(one)).status);
    expect((await hasty.unbind(one)).status).toBe(410);
    expect(filesAndBindings(await hasty.traces())).toEqual(before);
  });
});

describe('An id that is taken by a different binding', () => {
  test.each<[string, Members]>([
    ['other parameters [BND-06.parameters]', { parameters: { role: 'writer' } }],
    ['no parameters any more [BND-06.parameters]', { parameters: {} }],
    ['another plan [BND-06.plan]', { ...idsOf('trial-schemas/draft-06') }],
    ['another service [BND-06.plan]', { ...idsOf('echo/large') }],
    ['another app_guid [BND-06.app]', { app_guid: 'another-app' }],
    ['no app_guid any more [BND-06.app]', { app_guid: undefined }],
    ['a route [BND-06.app]', { bind_resource: { route: 'www.example.com' } }],
  ])(
    'An id that is taken by a different binding is answered 409 to a request with %s, and stays as it was',
    async (_what, difference) => {
      const on = await instance('trial-schemas/draft-04');
      const body = { app_guid: 'an-app', parameters: { role: 'reader' } };
      const one = await binding(on, { body });
      const answer = await refusedBind(on, { id: one.id, body: { ...body, ...difference } });
      expect(answer).toMatchObject({ status: 409, body: { error: 'Conflict' } });
      expect((await bind(on, { id: one.id, body })).body).toEqual(one.told);
    },
  );
});

describe('Several bindings', () => {
  test('Several bindings of one instance have passwords of their own, and each ends alone [BND-19, BND-27]', async () => {
    const on = await instance('trial-features/plain');
    const [one, two, three] = [await binding(on), await binding(on), await binding(on)];
    const passwords = [one, two, three].map(({ told }) => told.credentials?.['password']);
    expect(new Set(passwords).size).toBe(3);
    expect((await unbind(two)).status).toBe(200);
    expect((await ask('get', two.path)).status).toBe(404);
    for (const { path, told } of [one, three]) expect((await ask('get', path)).body).toMatchObject(told);
  });

  test('Several bindings may have one id on two instances, and have nothing of each other [BND-26]', async () => {
    const [here, there] = [await instance('trial-features/plain'), await instance('trial-features/plain')];
    const one = await binding(here, { id: 'shared-id' });
    const { status, body } = await bind(there, { id: 'shared-id' });
    expect(status).toBe(201);
    expect(JSON.stringify(body)).not.toContain(one.told.credentials?.['password']);
    expect((await unbind(one)).status).toBe(200);
    expect((await ask('get', bindingPath(there, 'shared-id'))).body).toMatchObject(body as object);
  });

  test('A binding that is asked for 50 times at once with one id is one binding with one password [CON-03]', async () => {
    const on = await instance('trial-timing/crash');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => bind(on, { id: 'one', query: at % 2 === 0 ? incomplete : {} })),
    );
    const codes = answers.map(({ status }) => status);
    expect(codes.filter((status) => status === 201).length).toBeLessThanOrEqual(1);
    expect(codes.every((status) => [200, 201, 202].includes(status))).toBe(true);
    await untilEnded(bindingPath(on, 'one'));
    const told = answers.filter(({ status }) => status < 202).map(({ text }) => text);
    expect(new Set(told).size).toBe(1);
    const operations = answers.filter(({ status }) => status === 202).map(({ text }) => text);
    expect(new Set(operations).size).toBe(1);
    const made = /^trial_records .*"part":"binding.*"binding_id":"one"/;
    expect((await platform.traces()).filter((line) => made.test(line))).toHaveLength(1);
  });

  test('Several bindings asked for at once with different ids are all made [BND-27]', async () => {
    const on = await instance('trial-timing/quick');
    const answers = await Promise.all(Array.from({ length: 20 }, () => bind(on)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(20);
  });
});
