import { randomUUID } from 'node:crypto';
import { until } from '../../support/until.ts';
import { repairBroker } from './repair-broker.ts';

/** What can be neither used nor deleted any more is forgotten, or removed as far as that goes. */

const { ask, bound, command, ended, made, operate, rows } = repairBroker({
  quick: {},
  kept: {},
  endless: { provision: { never: true, each: '100ms' } },
  'endless-bind': { bind: { never: true, each: '100ms' } },
  stuck: { deprovision: { fails: 'It would not go.' } },
  raging: { deprovision: { throws: 'It broke.' } },
  'endless-removal': { deprovision: { never: true, each: '100ms' } },
});

const instances = (id: string) => rows('select id from service_instances where id = $1', id);
const audited = (id: string, verb: string) =>
  rows('select * from audit_trail where instance_id = $1 and verb = $2', id, verb);
const things = async (id: string) =>
  (await rows(`select to_json(t)::text as text from trial_records t`)).filter(({ text }) =>
    String(text).includes(id),
  );

test('A purge forgets an instance with its bindings, removes nothing, and tells what is left; its id is free again.', async () => {
  const id = await made('quick');
  await bound(id, 'quick', 'b1');
  const before = await things(id);
  expect(before.length).toBeGreaterThan(0);
  for (const confirm of ['', 'other']) {
    const { status, body } = await operate('post', `instances/${id}/actions/purge`, { confirm });
    expect([status, body as unknown]).toEqual([
      400,
      expect.objectContaining({
        field: 'confirm',
        description: 'confirm must be the id of the instance once more.',
      }),
    ]);
  }
  expect(await instances(id)).toHaveLength(1);
  const { status, body } = await operate('post', `instances/${id}/actions/purge`, { confirm: id });
  expect({ status, body: body as unknown }).toEqual({ status: 200, body: { left: [expect.any(String)] } });
  expect(await instances(id)).toEqual([]);
  expect(await things(id)).toEqual(before);
  expect(await audited(id, 'purge')).toMatchObject([
    {
      principal: 'operator',
      outcome: 'succeeded',
      before: { state: 'ready', bindings: 1 },
      after: body as object,
    },
  ]);
  expect((await operate('post', `instances/${id}/actions/purge`, { confirm: id })).status).toBe(404);
  expect((await ask('delete', id, 'quick')).status).toBe(410);
  expect([201, 202]).toContain((await ask('put', id, 'quick')).status);
});

test('A protected instance is deleted by nobody, until an operator takes the protection away.', async () => {
  const id = await made('quick');
  expect(await command('instances', 'protect', id)).toMatchObject({ code: 0, output: 'protect succeeded\n' });
  expect((await operate('post', `instances/${id}/actions/protect`)).status).toBe(200);
  const refused = expect.stringContaining('is protected against deletion') as string;
  const tried = [
    await ask('delete', id, 'quick'),
    await operate('delete', `instances/${id}`, { confirm: id }),
    await operate('post', `instances/${id}/actions/force-delete`, { confirm: id }),
    await operate('post', `instances/${id}/actions/purge`, { confirm: id }),
  ];
  for (const { status, body } of tried)
    expect([status, body as unknown]).toEqual([400, expect.objectContaining({ description: refused })]);
  expect((await operate('get', `instances/${id}`)).body).toMatchObject({
    state: 'ready',
    protected_from: expect.any(String) as string,
  });
  expect(await audited(id, 'protect')).toHaveLength(1);
  expect((await command('instances', 'unprotect', id)).code).toBe(0);
  expect(await audited(id, 'unprotect')).toMatchObject([{ outcome: 'succeeded', principal: 'operator' }]);
  const { status, text } = await ask('delete', id, 'quick');
  expect([200, 202].includes(status) ? '' : text).toBe('');
  expect(await ended(id)).toMatchObject({ kind: 'deprovision', state: 'succeeded' });
});

test('A deleted instance that is kept is gone for its platform, and comes back by the command.', async () => {
  const id = await made('kept');
  await bound(id, 'kept', 'b1');
  const { status: deleted, text } = await ask('delete', id, 'kept');
  expect([200, 202].includes(deleted) ? '' : text).toBe('');
  expect(await ended(id)).toMatchObject({ kind: 'deprovision', state: 'succeeded' });
  const gone = await Promise.all([
    ask('get', id, 'kept'),
    ask('delete', id, 'kept'),
    ask('put', id, 'kept'),
    ask('get', id, 'kept', { below: '/service_bindings/b1' }),
  ]);
  expect(gone.map(({ status }) => status)).toEqual([404, 410, 409, 404]);
  expect((await things(id)).length).toBeGreaterThan(0);
  const listed = await operate('get', 'instances', { state: 'deleted' });
  expect(listed.body).toMatchObject({
    instances: [{ id, state: 'deleted', bindings: 0, kept_until: expect.any(String) as string }],
  });
  expect(await command('instances', 'undelete', id)).toMatchObject({ code: 0 });
  expect((await ask('get', id, 'kept')).status).toBe(200);
  expect(await audited(id, 'undelete')).toHaveLength(1);
  await bound(id, 'kept', 'b2');
});

test('A purge ends what is going on, and the platform is told that it has failed, and what to do.', async () => {
  const id = randomUUID();
  expect((await ask('put', id, 'endless')).status).toBe(202);
  const { status, text } = await operate('post', `instances/${id}/actions/purge`, { confirm: id });
  expect([status, text]).toEqual([200, expect.stringContaining('left')]);
  expect((await ask('get', id, 'endless', { below: '/last_operation' })).body).toMatchObject({
    state: 'failed',
    description: expect.stringContaining('removed this from the books of the broker. Delete it.') as string,
  });
  expect(await audited(id, 'provision')).toMatchObject([{ outcome: 'failed', reason: 'purged' }]);
});

test('Of several purges and deletions at once one does it, and it stands in the audit trail once.', async () => {
  const id = await made('quick');
  const asked = ['purge', 'purge', 'force-delete', 'purge'].map((verb) =>
    operate('post', `instances/${id}/actions/${verb}`, { confirm: id }),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  for (const status of statuses) expect([200, 202, 404]).toContain(status);
  await until('it is gone', async () => (await instances(id)).length === 0);
  expect((await audited(id, 'purge')).length).toBeLessThanOrEqual(1);
  expect(
    await rows(`select id from operations where instance_id = $1 and state = 'in progress'`, id),
  ).toEqual([]);
});

test.each(['service_instances', 'operations'])(
  'What nobody can read any more, a row of %s, is forgotten by a deletion by force, and what was open on it ends.',
  async (table) => {
    const id = randomUUID();
    expect((await ask('put', id, 'endless')).status).toBe(202);
    const column = table === 'operations' ? 'instance_id' : 'id';
    await until('it is damaged to stay', async () => {
      await rows(`update ${table} set confidential = '{"sealed":{"key":"gone"}}' where ${column} = $1`, id);
      const { status } = await ask('get', id, 'endless');
      return status === 503;
    });
    const { status, body } = await operate('post', `instances/${id}/actions/force-delete`, { confirm: id });
    expect([status, body as unknown]).toEqual([
      200,
      { left: expect.arrayContaining(['everything: what is stored of it cannot be read']) as unknown },
    ]);
    expect(await instances(id)).toEqual([]);
    expect(await ended(id)).toMatchObject({ state: 'failed', failure: { word: 'purged' } });
    expect(await audited(id, 'force-delete')).toMatchObject([{ outcome: 'succeeded' }]);
  },
);

test('A bind that nobody can read any more does not keep its instance from being deleted by force.', async () => {
  const id = await made('endless-bind');
  expect((await ask('put', id, 'endless-bind', { below: '/service_bindings/b1' })).status).toBe(202);
  const damage = () =>
    rows(`update operations set confidential = 'x' where instance_id = $1 and kind = 'bind'`, id);
  await damage();
  expect((await operate('delete', `instances/${id}`, { confirm: id })).status).toBe(409);
  await until('it is deleted by force', async () => {
    // A step that was being taken has written what can be read once more.
    await damage();
    const { status } = await operate('post', `instances/${id}/actions/force-delete`, { confirm: id });
    expect([200, 202, 409]).toContain(status);
    return status !== 409;
  });
  await until('it is gone', async () => (await instances(id)).length === 0);
  expect(await things(id)).toEqual([]);
});

test.each(['stuck', 'raging'])(
  'A deletion by force of an instance whose removal fails (%s) forgets it and tells what is left, and why.',
  async (plan) => {
    const id = await made(plan);
    const refused = await operate('delete', `instances/${id}`, { confirm: id });
    expect([202, 500]).toContain(refused.status);
    if (plan === 'raging') {
      const again = await operate('post', `instances/${id}/actions/force-delete`, { confirm: id });
      expect([again.status, again.text]).toEqual([409, expect.stringContaining('being deleted already')]);
      await rows(
        `update operations set deadline = now() where instance_id = $1 and state = 'in progress'`,
        id,
      );
    }
    expect(await ended(id)).toMatchObject({ state: 'failed' });
    const run = await command('instances', 'force-delete', id, id);
    expect(run).toMatchObject({ code: 0, errors: '' });
    expect(run.output).toMatch(/Left behind:/);
    expect(run.output).toMatch(plan === 'stuck' ? /It would not go|The plan says so/ : /It broke/);
    expect(await instances(id)).toEqual([]);
    expect((await things(id)).length).toBeGreaterThan(0);
    expect(await ended(id)).toMatchObject({ kind: 'deprovision', state: 'succeeded', confidential: '{}' });
    const last = (await audited(id, 'deprovision')).find(({ outcome }) => outcome === 'succeeded');
    expect(last).toMatchObject({
      after: { force: true },
      result: { left: expect.stringMatching(/^Left behind: \S+/) as string },
    });
    expect((await ask('delete', id, plan)).status).toBe(410);
  },
);

test('A binding is forgotten by a purge, and what is open on it ends; the instance stays.', async () => {
  const id = await made('endless-bind');
  const below = '/service_bindings/b1';
  expect((await ask('put', id, 'endless-bind', { below })).status).toBe(202);
  const path = `instances/${id}/bindings/b1/actions/purge`;
  expect((await operate('post', path, { confirm: id })).body).toMatchObject({
    description: 'confirm must be the id of the binding once more.',
  });
  expect((await operate('post', path, { confirm: 'b1' })).status).toBe(200);
  expect((await operate('post', path, { confirm: 'b1' })).status).toBe(404);
  const last = await ask('get', id, 'endless-bind', { below: `${below}/last_operation` });
  expect(last.body).toMatchObject({ state: 'failed' });
  expect(await audited(id, 'purge')).toMatchObject([{ object_kind: 'binding', object_id: 'b1' }]);
  expect((await operate('get', `instances/${id}`)).body).toMatchObject({ state: 'ready', bound: [] });
});

test('The commands purge what is named twice, and refuse with a sentence what is not.', async () => {
  const id = await made('quick');
  await bound(id, 'quick', 'b1');
  expect(await command('instances', 'purge-binding', id, 'b1', 'b1')).toMatchObject({
    code: 0,
    output: expect.stringMatching(
      /^The binding b1 is forgotten.\nLeft behind:\n {2}its credentials/,
    ) as string,
  });
  expect(await command('instances', 'purge', id, 'other')).toEqual({
    code: 1,
    output: '',
    errors: 'purveyor: confirm must be the id of the instance once more.\n',
  });
  const run = await command('instances', 'purge', id, id);
  expect(run.output).toMatch(new RegExp(`^The instance ${id} is forgotten.\nLeft behind:\n {2}\\S`));
  expect((await command('instances', 'purge', id, id)).code).toBe(1);
  expect((await operate('get', `instances/${id}`)).status).toBe(404);
});
