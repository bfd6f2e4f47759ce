import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { idsOf } from '../support/instance-platform.ts';
import {
  bindingPath,
  incomplete,
  operationIn,
  trialPlatform,
  type Binding,
  type Instance,
  type Sent,
  type TrialPlatform,
} from '../support/trial-platform.ts';
import { until } from '../support/until.ts';

/** spec.md, Binding Rotation. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });
// It carries only what requests ask for, so nothing ends by itself.
const idle = trialPlatform({ WORKERS: '0' });
const { ask, bind, binding, instance, refused, unbind, untilEnded } = platform;

/** Without service_id and plan_id, as the table of the rotation has it. */
const onlyPredecessor = { service_id: undefined, plan_id: undefined };

function rotate({ instance: on, id }: Pick<Binding, 'instance' | 'id'>, sent: Sent = {}): Promise<Response> {
  const body = { predecessor_binding_id: id, ...(typeof sent.body === 'object' ? sent.body : {}) };
  return bind(on, { ...sent, body });
}

function passwordIn(body: unknown): string {
  const { credentials } = body as { credentials: { password: string } };
  expect(credentials.password).toMatch(/^.{24}$/);
  return credentials.password;
}

async function refusedRotation(
  predecessor: Pick<Binding, 'instance' | 'id'>,
  sent: Sent = {},
): Promise<Response> {
  return refused(() => rotate(predecessor, sent));
}

const named = {
  body: { error: 'BadRequest', description: expect.stringContaining('predecessor_binding_id') as string },
};

describe('A rotation', () => {
  test.each<[string, object]>([
    ['with service_id, plan_id and predecessor [ROT-01, ROT-11]', {}],
    ['that names only the predecessor [ROT-02, ROT-11]', onlyPredecessor],
  ])('%s makes a new binding with a password of its own', async (_how, ids) => {
    const old = await binding(await instance('trial-features/rotatable'));
    const id = randomUUID();
    const { status, body } = await rotate(old, { id, body: { ...ids } });
    expect(status).toBe(201);
    expect(passwordIn(body)).not.toBe(old.told.credentials?.['password']);
    expect((await ask('get', bindingPath(old.instance, id))).body).toEqual({
      ...(body as object),
      parameters: {},
    });
  });

  test('A rotation that takes its time is answered 202, and meanwhile the old binding stays [ROT-01, ROT-03]', async () => {
    const on = await instance('turning/brief');
    const old = await binding(on);
    const id = randomUUID();
    const answer = await rotate(old, { id, query: incomplete });
    expect((await ask('get', old.path)).body).toMatchObject(old.told);
    const path = bindingPath(on, id);
    expect((await untilEnded(path, operationIn(answer))).body).toMatchObject({ state: 'succeeded' });
    expect(passwordIn((await ask('get', path)).body)).not.toBe(old.told.credentials?.['password']);
  });

  test('A rotation that takes its time is waited for by who does not accept less [ROT-14]', async () => {
    const old = await binding(await instance('turning/brief'));
    expect((await rotate(old)).status).toBe(201);
  });

  test('A rotation of a plan that needs time is refused to those who cannot wait [ROT-14]', async () => {
    const on = await instance('turning/async-binds');
    const first = await bind(on, { id: 'first', query: incomplete });
    if (first.status === 202) await untilEnded(bindingPath(on, 'first'));
    const answer = await refusedRotation({ instance: on, id: 'first' });
    expect(answer).toMatchObject({ status: 422, body: { error: 'AsyncRequired' } });
  });

  test.each(['old', 'new'])(
    'A rotation leaves two bindings; the %s one can end alone, then the other [ROT-03]',
    async (which) => {
      const old = await binding(await instance('trial-features/rotatable'));
      const id = randomUUID();
      const { body } = await rotate(old, { id });
      const young = {
        id,
        path: bindingPath(old.instance, id),
        instance: old.instance,
        told: body as Binding['told'],
      };
      const [first, second] = which === 'old' ? [old, young] : [young, old];
      expect((await unbind(first)).status).toBe(200);
      expect((await ask('get', first.path)).status).toBe(404);
      expect((await ask('get', second.path)).body).toMatchObject(second.told);
      expect((await unbind(second)).status).toBe(200);
      expect((await ask('get', second.path)).status).toBe(404);
    },
  );

  test('A rotation takes over what the platform said when it bound: parameters and application [ROT-02, ROT-10]', async () => {
    const on = await instance('turning/app-required');
    const old = await binding(on, { body: { app_guid: 'an-app', parameters: { role: 'reader' } } });
    const id = randomUUID();
    expect((await rotate(old, { id, body: onlyPredecessor })).status).toBe(201);
    expect((await ask('get', bindingPath(on, id))).body).toMatchObject({ parameters: { role: 'reader' } });
  });

  test('A rotation may be rotated again, any number of times [ROT-12, ROT-10]', async () => {
    const on = await instance('trial-features/rotatable');
    const passwords = new Set<string>();
    let last = await binding(on, { body: { parameters: { role: 'writer' } } });
    for (let turn = 0; turn < 4; turn += 1) {
      passwords.add(last.told.credentials?.['password'] ?? '');
      const id = randomUUID();
      const { status, body } = await rotate(last, { id, body: onlyPredecessor });
      expect(status).toBe(201);
      await unbind(last);
      last = { id, path: bindingPath(on, id), instance: on, told: body as Binding['told'] };
    }
    expect(passwords.size).toBe(4);
    expect((await ask('get', last.path)).body).toMatchObject({ parameters: { role: 'writer' } });
  });

  test('A rotation gives the new binding its own time to live [ROT-01, ROT-03]', async () => {
    const old = await binding(await instance('trial-features/expiring'));
    const { body } = await rotate(old);
    const endOf = (told: object) =>
      Date.parse((told as { metadata: { expires_at: string } }).metadata.expires_at);
    expect(endOf(body as object)).toBeGreaterThanOrEqual(endOf(old.told));
  });
});

describe('A repeated rotation', () => {
  test('A repeated rotation is answered 200 with the same binding, also when its predecessor is gone; another predecessor is a conflict [ROT-08, ROT-09]', async () => {
    const on = await instance('trial-features/rotatable');
    const [old, other] = [await binding(on), await binding(on)];
    const id = randomUUID();
    const { body } = await rotate(old, { id });
    const same = { status: 200, body: body as object };
    expect(await rotate(old, { id })).toMatchObject(same);
    expect(await rotate(old, { id, body: onlyPredecessor })).toMatchObject(same);
    const conflict = { status: 409, body: { error: 'Conflict' } };
    expect(await refusedRotation(other, { id })).toMatchObject(conflict);
    expect(await refused(() => bind(on, { id }))).toMatchObject(conflict);
    expect((await unbind(old)).status).toBe(200);
    expect(await rotate(old, { id })).toMatchObject(same);
  });

  test('A repeated rotation is known with the parameters that were taken over [ROT-08, ROT-10]', async () => {
    const on = await instance('trial-features/rotatable');
    const parameters = { role: 'reader' };
    const old = await binding(on, { body: { parameters } });
    const id = randomUUID();
    expect((await rotate(old, { id })).status).toBe(201);
    expect((await rotate(old, { id })).status).toBe(200);
    expect((await rotate(old, { id, body: { parameters } })).status).toBe(200);
    expect((await refusedRotation(old, { id, body: { parameters: { role: 'writer' } } })).status).toBe(409);
  });

  test('A repeated rotation while it is being made is answered 202 with the same operation [ROT-08]', async () => {
    const on = await instance('turning/brief');
    const old = await binding(on);
    const id = randomUUID();
    const first = await rotate(old, { id, query: incomplete });
    const again = await rotate(old, { id, query: incomplete });
    expect(operationIn(again)).toEqual(operationIn(first));
    expect((await untilEnded(bindingPath(on, id))).body).toMatchObject({ state: 'succeeded' });
  });
});

describe('Refused, and nothing is made', () => {
  test('A rotation is refused, and nothing is made, for an unknown predecessor [ROT-04]', async () => {
    const on = await instance('trial-features/rotatable');
    const answer = await refusedRotation({ instance: on, id: 'unheard-of' });
    expect(answer).toMatchObject({ status: 400, ...named });
  });

  test.each([5, true, {}, ['x'], ''])(
    'A rotation is refused, and nothing is made, for a predecessor_binding_id of %j [ROT-04]',
    async (value) => {
      const on = await instance('trial-features/rotatable');
      const answer = await refused(() => bind(on, { body: { predecessor_binding_id: value } }));
      expect(answer).toMatchObject({ status: 400, ...named });
    },
  );

  test('A rotation is refused, and nothing is made, for a predecessor of another instance [ROT-05]', async () => {
    const [here, there] = [
      await instance('trial-features/rotatable'),
      await instance('trial-features/rotatable'),
    ];
    const { id } = await binding(there);
    expect(await refusedRotation({ instance: here, id })).toMatchObject({ status: 400, ...named });
  });

  test('A rotation is refused, and nothing is made, for a predecessor that was deleted [ROT-06]', async () => {
    const old = await binding(await instance('trial-features/rotatable'));
    await unbind(old);
    expect(await refusedRotation(old)).toMatchObject({ status: 400, ...named });
  });

  test.each<[string, TrialPlatform]>([
    ['removed already', platform],
    ['not removed yet', idle],
  ])(
    'A rotation is refused, and nothing is made, for a predecessor whose time is over, and which is %s [ROT-06]',
    async (_state, one) => {
      const old = await one.binding(await one.instance('turning/short-lived'));
      await until('its time is over', async () => (await one.ask('get', old.path)).status !== 200);
      const body = { predecessor_binding_id: old.id };
      expect(await one.bind(old.instance, { body })).toMatchObject({ status: 400, ...named });
    },
  );

  test('A rotation is refused, and nothing is made, for a binding as its own predecessor, whether it is there or not [ROT-07]', async () => {
    const on = await instance('trial-features/rotatable');
    const old = await binding(on);
    await refusedRotation(old, { id: old.id });
    expect((await ask('get', old.path)).body).toMatchObject(old.told);
    const answer = await refusedRotation({ instance: on, id: 'itself' }, { id: 'itself' });
    expect(answer).toMatchObject({ status: 400, ...named });
  });

  test('A rotation is refused, and nothing is made, for a predecessor that is still being made, or being deleted [ROT-04, ROT-06]', async () => {
    const on = await instance('turning/brief');
    const id = randomUUID();
    const path = bindingPath(on, id);
    expect((await bind(on, { id, query: incomplete })).status).toBe(202);
    expect((await refusedRotation({ instance: on, id })).status).toBe(400);
    await untilEnded(path);
    expect((await unbind({ path, instance: on }, { query: incomplete })).status).toBe(202);
    expect((await refusedRotation({ instance: on, id })).status).toBe(400);
    await untilEnded(path);
  });

  test('A rotation is refused, and nothing is made, for another plan or service than that of the instance [ROT-04]', async () => {
    const old = await binding(await instance('trial-features/rotatable'));
    for (const ids of [idsOf('trial-features/plain'), idsOf('echo/large')]) {
      expect((await refusedRotation(old, { body: { ...ids } })).status).toBe(400);
    }
    const without = { service_id: idsOf('echo/large').service_id, plan_id: undefined };
    expect((await refusedRotation(old, { body: without })).status).toBe(400);
  });

  test('A rotation is refused, and nothing is made, for a plan whose bindings cannot be rotated [ROT-13]', async () => {
    for (const plan of ['trial-features/plain', 'echo/large', 'trial-volume/shared']) {
      const old = await binding(await instance(plan));
      expect(await refusedRotation(old)).toMatchObject({ status: 400, body: { error: 'BadRequest' } });
      expect((await refusedRotation(old, { body: onlyPredecessor })).status).toBe(400);
    }
  });
});

test('Rotations of one binding at once all make a binding of their own [CON-11]', async () => {
  const on: Instance = await instance('trial-features/rotatable');
  const old = await binding(on);
  const answers = await Promise.all(Array.from({ length: 20 }, () => rotate(old)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  const passwords = answers.map(({ body }) => passwordIn(body));
  expect(new Set([...passwords, old.told.credentials?.['password']]).size).toBe(21);
});
