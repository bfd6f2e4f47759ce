import { randomUUID } from 'node:crypto';
import { until } from '../../support/until.ts';
import { repairBroker } from './repair-broker.ts';

/** What has failed is asked for once more, and what is in progress is ended. */

const { ask, bound, command, ended, made, operate, rows } = repairBroker({
  quick: {},
  endless: { provision: { never: true, each: '100ms' } },
  hanging: { provision: { takes: '10m' } },
  'endless-bind': { bind: { never: true, each: '100ms' } },
  'endless-update': { update: { never: true, each: '100ms' } },
  'endless-removal': { deprovision: { never: true, each: '100ms' } },
  'first-update': { update: { fails: 'Not the first time.', only_first: true } },
  'first-removal': { deprovision: { fails: 'Not the first time.', only_first: true } },
  'first-bind': { bind: { fails: 'Not the first time.', only_first: true } },
  'first-unbind': { unbind: { fails: 'Not the first time.', only_first: true } },
});

const below = '/service_bindings/b1';
const patch = (id: string, plan: string, size: number) =>
  ask('patch', id, plan, { body: { parameters: { size } } });
const instanceRow = async (id: string) =>
  (await rows('select * from service_instances where id = $1', id))[0];
const audited = (id: string, verb: string) =>
  rows('select * from audit_trail where instance_id = $1 and verb = $2', id, verb);
const operationsOf = (id: string) =>
  rows('select id, kind, state from operations where instance_id = $1 order by seq', id);
const repair = (operationId: unknown, verb: 'retry' | 'cancel') =>
  operate('post', `operations/${String(operationId)}/${verb}`);

/** Begins what fails the first time. */
const failing: Readonly<Record<string, readonly [plan: string, begin: (id: string) => Promise<unknown>]>> = {
  update: ['first-update', (id) => patch(id, 'first-update', 2)],
  deprovision: ['first-removal', (id) => ask('delete', id, 'first-removal')],
  bind: ['first-bind', (id) => ask('put', id, 'first-bind', { below })],
  unbind: ['first-unbind', (id) => ask('delete', id, 'first-unbind', { below })],
};

test('A provision that has failed is retried in the same instance, with its parameters, and is there for its platform.', async () => {
  const id = randomUUID();
  const body = { parameters: { size: 3 } };
  expect([201, 202]).toContain((await ask('put', id, 'quick', { body })).status);
  const { id: operation } = await ended(id);
  await rows('update service_instances set ready = false where id = $1', id);
  await rows(
    `update operations set state = 'failed', failure = '{"word":"w","sentence":"s"}' where id = $1`,
    String(operation),
  );
  const { status, text } = await repair(operation, 'retry');
  expect([[200, 202].includes(status), text]).toEqual([true, text]);
  expect(await ended(id)).toMatchObject({ kind: 'provision', state: 'succeeded' });
  expect((await ask('get', id, 'quick')).body).toMatchObject(body);
  expect([200, 202]).toContain((await ask('put', id, 'quick', { body })).status);
});

test.each(Object.keys(failing))(
  'The %s that has failed is retried, by however many at once, and does then what it was asked for.',
  async (kind) => {
    const [plan, begin] = failing[kind] ?? ['', async () => undefined];
    const id = await made(plan);
    if (kind === 'unbind') await bound(id, plan, 'b1');
    await begin(id);
    const failed = await ended(id);
    expect(failed).toMatchObject({ kind, state: 'failed' });
    const answers = await Promise.all([1, 2, 3].map(() => repair(failed['id'], 'retry')));
    for (const { status, text } of answers)
      expect([[200, 202, 404, 409].includes(status), text]).toEqual([true, text]);
    expect(answers.some(({ status }) => status < 300)).toBe(true);
    expect(await ended(id)).toMatchObject({ kind, state: 'succeeded', origin: { protocol: 'operator' } });
    expect((await operationsOf(id)).filter((one) => one['kind'] === kind)).toHaveLength(2);
    expect(await audited(id, kind)).toHaveLength(2);
    const row = await instanceRow(id);
    if (kind === 'deprovision') expect(row).toBeUndefined();
    if (kind === 'update')
      expect((await ask('get', id, plan)).body).toMatchObject({ parameters: { size: 2 } });
    const { status } = await ask('get', id, plan, { below });
    expect(status).toBe(kind === 'bind' ? 200 : 404);
  },
);

test('What a failed update asked for lies encrypted with its instance until an update succeeds.', async () => {
  const id = await made('first-update');
  await patch(id, 'first-update', 2);
  const failed = await ended(id);
  expect(failed).toMatchObject({ state: 'failed', confidential: '{}' });
  expect(String((await instanceRow(id))?.['confidential'])).not.toMatch(/failedUpdate|size/);
  expect([200, 202]).toContain((await patch(id, 'first-update', 4)).status);
  expect(await ended(id)).toMatchObject({ state: 'succeeded' });
  const { status, body } = await repair(failed['id'], 'retry');
  expect([status, body as unknown]).toEqual([
    409,
    {
      error: 'conflict',
      description: expect.stringContaining('Something else has been asked for since') as string,
    },
  ]);
});

test('What has not failed, is not there or names no unit any more is not retried, and says why.', async () => {
  const id = await made('quick');
  const [operation] = await operationsOf(id);
  expect(await repair(operation?.['id'], 'retry')).toMatchObject({
    status: 409,
    body: { description: 'The operation has succeeded: only one that has failed can be retried.' },
  });
  expect((await repair(randomUUID(), 'retry')).status).toBe(404);
  await rows(
    `update operations set kind = 'restart', state = 'failed', failure = '{"word":"w","sentence":"s"}' where id = $1`,
    String(operation?.['id']),
  );
  expect((await repair(operation?.['id'], 'retry')).body).toMatchObject({
    description: expect.stringContaining('Ask for a restart of the service instance') as string,
  });
});

test.each(['endless', 'hanging'])(
  'A provision (%s) that is cancelled is undone, its platform sees that it has failed, and it is deleted as ever.',
  async (plan) => {
    const id = randomUUID();
    expect((await ask('put', id, plan)).status).toBe(202);
    const [operation] = await operationsOf(id);
    const answers = await Promise.all([1, 2, 3].map(() => repair(operation?.['id'], 'cancel')));
    for (const { status, text } of answers) expect([[200, 202].includes(status), text]).toEqual([true, text]);
    expect(await ended(id)).toMatchObject({ state: 'failed', failure: { word: 'cancelled-by-operator' } });
    expect((await ask('get', id, plan, { below: '/last_operation' })).body).toMatchObject({
      state: 'failed',
      description: expect.stringContaining(
        'The operator of the broker has cancelled the operation.',
      ) as string,
    });
    expect(await audited(id, 'cancel')).toMatchObject([
      {
        principal: 'operator',
        outcome: 'succeeded',
        after: { operation: operation?.['id'], kind: 'provision' },
      },
    ]);
    expect(await audited(id, 'provision')).toMatchObject([
      { outcome: 'failed', reason: 'cancelled-by-operator' },
    ]);
    const things = await rows(`select to_json(t)::text as text from trial_records t`);
    expect(things.filter(({ text }) => String(text).includes(id))).toEqual([]);
    expect((await repair(operation?.['id'], 'cancel')).status).toBe(200);
    expect([200, 202]).toContain((await ask('delete', id, plan)).status);
    expect(await ended(id)).toMatchObject({ kind: 'deprovision', state: 'succeeded' });
  },
);

test.each([
  ['update', 'endless-update', 'ready'],
  ['bind', 'endless-bind', 'ready'],
  ['deprovision', 'endless-removal', 'ready'],
])('The %s that is cancelled on the command line leaves the instance usable.', async (kind, plan, state) => {
  const id = await made(plan);
  if (kind === 'update') await patch(id, plan, 2);
  else if (kind === 'bind') await ask('put', id, plan, { below });
  else await ask('delete', id, plan);
  const [, operation] = await operationsOf(id);
  expect(operation).toMatchObject({ kind, state: 'in progress' });
  const run = await command('operations', 'cancel', String(operation?.['id']));
  expect(run).toEqual({
    code: 0,
    output: `${kind} failed: The operator of the broker has cancelled the operation.\n`,
    errors: '',
  });
  expect((await operate('get', `instances/${id}`)).body).toMatchObject({ state });
  expect((await operate('get', 'operations', { instance: id })).body).toMatchObject({
    operations: [{ id: operation?.['id'], kind, state: 'failed' }, { kind: 'provision' }],
  });
});

test('What has ended is not cancelled, and the operations that are shown have the id to name them by.', async () => {
  const id = await made('quick');
  const [operation] = await operationsOf(id);
  expect(await repair(operation?.['id'], 'cancel')).toMatchObject({
    status: 409,
    body: { description: 'The operation has succeeded already, so there is nothing to cancel.' },
  });
  expect((await repair('none', 'cancel')).status).toBe(404);
  const shown = await command('operations', '--instance', id);
  expect(shown.output).toContain(String(operation?.['id']));
  const run = await command('operations', 'retry', String(operation?.['id']));
  expect(run).toEqual({
    code: 1,
    output: '',
    errors: 'purveyor: The operation has succeeded: only one that has failed can be retried.\n',
  });
});

test('An operation that nobody can read is not cancelled, and it is said what helps.', async () => {
  const id = randomUUID();
  expect((await ask('put', id, 'hanging')).status).toBe(202);
  const [operation] = await operationsOf(id);
  await rows(`update operations set confidential = 'x' where id = $1`, String(operation?.['id']));
  const { status, body } = await repair(operation?.['id'], 'cancel');
  expect([status, body as unknown]).toEqual([
    503,
    {
      error: 'unreadable',
      description: expect.stringContaining('It can only be forgotten, by a purge.') as string,
    },
  ]);
  expect((await operate('post', `instances/${id}/actions/purge`, { confirm: id })).status).toBe(200);
  await until('nothing is open', async () => (await operationsOf(id))[0]?.['state'] === 'failed');
});
