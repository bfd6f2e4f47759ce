import { repairBroker } from './repair-broker.ts';

const { ask, bound, command, made, operate } = repairBroker({ quick: {}, other: {} });

test('Operators list the bindings of all instances by filters and page by page, and on the command line, without a secret.', async () => {
  const [one, two] = [await made('quick'), await made('other')];
  for (const id of ['b1', 'b2']) await bound(one, 'quick', id);
  await bound(two, 'other', 'b1');
  const all = await operate('get', 'bindings');
  expect(all.body).toMatchObject({ bindings: [{}, {}, {}] });
  expect(all.text).not.toMatch(/credentials|confidential/);
  const { body } = await operate('get', 'bindings', { offering: 'broken', plan: 'other', state: 'bound' });
  expect(body).toEqual({
    bindings: [
      expect.objectContaining({
        id: 'b1',
        instance_id: two,
        offering: 'broken',
        plan: 'other',
        state: 'bound',
      }),
    ],
  });
  const first = await operate('get', 'bindings', { instance: one, limit: '1' });
  const { next } = first.body as { next: string };
  expect((await operate('get', 'bindings', { instance: one, limit: '1', after: next })).body).toMatchObject({
    bindings: [{ id: 'b2', instance_id: one }],
  });
  for (const [name, value] of [
    ['after', 'x'],
    ['state', 'odd'],
    ['limit', '0'],
  ] as const) {
    const { status, body: told } = await operate('get', 'bindings', { [name]: value });
    expect([status, told as unknown]).toEqual([400, expect.objectContaining({ field: name })]);
  }
  const run = await command('bindings', '--instance', one);
  expect(run).toMatchObject({ code: 0, errors: '' });
  expect(run.output).toMatch(/^BINDING +INSTANCE +OFFERING +PLAN +STATE +USED BY +SINCE\nb1 +/);
  expect(run.output.trim().split('\n')).toHaveLength(3);
  expect((await ask('get', one, 'quick', { below: '/service_bindings/b1' })).status).toBe(200);
});
