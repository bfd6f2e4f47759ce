import { until } from '../../support/until.ts';
import { runProgram } from '../../support/run-program.ts';
import { incomplete, trialPlatform } from '../../support/trial-platform.ts';
import { operatorPassword } from '../../support/whole-broker.ts';

/** What operators see of the bindings of an instance, and how they remove one that its platform has forgotten. */

const platform = trialPlatform();
const { ask, bind, binding, broker, instance, unbind, update } = platform;
const login = `operator:${operatorPassword}`;

interface Bound {
  readonly id: string;
  readonly state: string;
  readonly operation?: { readonly kind: string };
}

function operate(method: 'get' | 'post' | 'delete', path: string) {
  return broker().ask(method, `/operator/instances/${path}`, { login });
}

async function boundTo(id: string): Promise<readonly Bound[]> {
  return ((await operate('get', id)).body as { bound: readonly Bound[] }).bound;
}

test('The bindings of an instance are shown with state, time and user, those that failed too, and without a credential.', async () => {
  const on = await instance('moments/brief-removal');
  const context = {
    platform: 'cloudfoundry',
    space_name: 'dev',
    app_name: 'shop',
    secret_word: 'canary',
    organization_name: { odd: 'canary' },
  };
  const used = await binding(on, { body: { bind_resource: { app_guid: 'guid' }, context } });
  const answer = await operate('get', on.id);
  expect(answer.body).toMatchObject({ bindings: 1 });
  const created_at = expect.stringMatching(/^\d{4}-.*Z$/) as string;
  expect(answer.body).toMatchObject({ bound: [expect.anything()] });
  expect((answer.body as { bound: readonly Bound[] }).bound[0]).toEqual({
    id: used.id,
    state: 'bound',
    app_guid: 'guid',
    context: { platform: 'cloudfoundry', space_name: 'dev', app_name: 'shop' },
    created_at,
  });
  expect(answer.text).not.toMatch(/canary|confidential|credentials|password/);
  for (const secret of Object.values(used.told.credentials ?? {})) {
    if (secret !== on.id) expect(answer.text).not.toContain(secret);
  }
});

test('A bind that failed is shown as such, and what is left of it is removed.', async () => {
  const on = await instance('moments/failing-bind');
  expect((await bind(on, { id: 'failed' })).status).toBe(500);
  expect(await boundTo(on.id)).toMatchObject([{ id: 'failed', state: 'failed' }]);
  expect((await operate('get', on.id)).body).toMatchObject({ bindings: 0 });
  expect((await operate('delete', `${on.id}/bindings/failed`)).status).toBe(200);
  expect(await boundTo(on.id)).toEqual([]);
});

test('A binding is removed with its credentials; its platform finds it gone, others stay, and once more there is none.', async () => {
  const on = await instance('trial-timing/quick');
  const [gone, stays] = [await binding(on), await binding(on)];
  const removed = await operate('delete', `${on.id}/bindings/${gone.id}`);
  expect([removed.status, removed.body as unknown]).toEqual([200, {}]);
  expect(await boundTo(on.id)).toMatchObject([{ id: stays.id, state: 'bound' }]);
  const again = await operate('delete', `${on.id}/bindings/${gone.id}`);
  expect([again.status, again.body as unknown]).toEqual([
    404,
    { error: 'not-found', description: 'The service instance has no binding with this id.' },
  ]);
  expect((await ask('get', gone.path)).status).toBe(404);
  expect((await unbind(gone)).status).toBe(410);
  const { body } = await operate('get', on.id);
  expect((body as { operations: readonly object[] }).operations[0]).toMatchObject({
    kind: 'unbind',
    binding_id: gone.id,
    state: 'succeeded',
    asked_by: { protocol: 'operator', principal: 'operator' },
  });
  expect((await bind(on, { id: gone.id })).status).toBe(201);
});

test('A removal of a binding that takes its time is one, however often it is asked for, also by a platform.', async () => {
  const on = await instance('moments/brief-removal');
  const { id, path } = await binding(on);
  const asked = [
    () => operate('delete', `${on.id}/bindings/${id}`),
    () => operate('delete', `${on.id}/bindings/${id}`),
    () => unbind({ path, instance: on }, { query: incomplete }),
  ];
  const answers = await Promise.all(asked.map((one) => one()));
  // Who comes late on a busy machine finds it gone.
  for (const { status } of answers) expect([202, 404, 410]).toContain(status);
  await until('it is gone', async () => (await boundTo(on.id)).length === 0);
  const { body } = await operate('get', on.id);
  const kinds = (body as { operations: readonly { kind: string }[] }).operations.map(({ kind }) => kind);
  expect(kinds).toEqual(['unbind', 'bind', 'provision']);
});

test('A bind that never ends is ended by the removal of its binding.', async () => {
  const on = await instance('moments/endless-bind');
  expect((await bind(on, { id: 'endless', query: incomplete })).status).toBe(202);
  expect(await boundTo(on.id)).toMatchObject([
    { id: 'endless', state: 'binding', operation: { kind: 'bind', state: 'in progress' } },
  ]);
  expect([200, 202]).toContain((await operate('delete', `${on.id}/bindings/endless`)).status);
  await until('it is gone', async () => (await boundTo(on.id)).length === 0);
});

test('The removal of a binding is busy while a platform has the instance changed.', async () => {
  const on = await instance('moments/endless-update');
  const { id } = await binding(on);
  expect((await update(on, { query: incomplete, body: { parameters: { size: 2 } } })).status).toBe(202);
  const { status, body } = await operate('delete', `${on.id}/bindings/${id}`);
  expect([status, body as unknown]).toEqual([
    409,
    {
      error: 'busy',
      description: 'Another operation on this service instance is in progress. Try again later.',
    },
  ]);
  expect(await boundTo(on.id)).toMatchObject([{ id, state: 'bound' }]);
});

test('A binding that is not there is a 404, and the login of a platform removes nothing.', async () => {
  const on = await instance('trial-timing/quick');
  const { id } = await binding(on);
  for (const path of [`${on.id}/bindings/none`, `none/bindings/${id}`]) {
    expect(await operate('delete', path)).toMatchObject({ status: 404, body: { error: 'not-found' } });
  }
  expect((await broker().ask('delete', `/operator/instances/${on.id}/bindings/${id}`)).status).toBe(401);
  expect(await boundTo(on.id)).toMatchObject([{ id, state: 'bound' }]);
});

describe('On the command line', () => {
  const run = (...words: readonly string[]) =>
    runProgram(words, { PORT: new URL(broker().url).port, OPERATOR_PASSWORD: operatorPassword }).ended;

  test('A binding is shown to operators, and removed with its end waited for; one that is not there is told.', async () => {
    const on = await instance('moments/brief-removal');
    const { id } = await binding(on, { id: 'of a/b', body: { context: { app_name: 'shop' } } });
    const page = await run('instances', 'show', on.id);
    expect(page.output).toMatch(/^BINDING +STATE +USED BY +SINCE$/m);
    expect(page.output).toMatch(new RegExp(`^${id} +bound +shop +\\S+Z$`, 'm'));
    expect(await run('instances', 'unbind', on.id, id)).toEqual({
      code: 0,
      output: 'unbind succeeded\n',
      errors: '',
    });
    expect(await boundTo(on.id)).toEqual([]);
    expect(await run('instances', 'unbind', on.id, id)).toEqual({
      code: 1,
      output: '',
      errors: 'purveyor: The service instance has no binding with this id.\n',
    });
    expect((await run('instances', 'show', on.id)).output).not.toContain('USED BY');
  });
});
