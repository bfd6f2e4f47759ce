import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform, type Answer } from '../support/instance-platform.ts';

/** spec.md, Blocking Operations. Two brokers on one database are asked in turn. */

const platform = instancePlatform({}, { brokers: 2 });
const { provision, update, deprovision, fetch, bind, unbind, fetchBinding, lastOperation, ended, made } =
  platform;
const { thingsOf, tracesOf } = platform;

const sync = true;
const crowd = 50;

/** All at once; every one must be answered, and soon. */
async function atOnce(ask: (index: number) => Promise<Answer>, many = crowd): Promise<Answer[]> {
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: many }, (_none, index) => ask(index)));
  expect(performance.now() - started).toBeLessThan(50_000);
  return answers;
}

/** How many answers there were of each status. */
function counted(answers: readonly Answer[]): Readonly<Record<number, number>> {
  const groups = Object.groupBy(answers, ({ status }) => status);
  return Object.fromEntries(Object.entries(groups).map(([status, all]) => [status, all?.length ?? 0]));
}

function expectOnly(answers: readonly Answer[], statuses: readonly number[]): void {
  expect(statuses).toEqual(expect.arrayContaining([...new Set(answers.map(({ status }) => status))]));
  for (const { status, body } of answers) if (status === 422) expect(body.error).toBe('ConcurrencyError');
}

const made2xx = ({ status }: Answer) => status < 300;
const operationsOf = (answers: readonly Answer[]) =>
  new Set(answers.flatMap(({ body }) => (body.operation === undefined ? [] : [body.operation])));

describe('Fifty at once', () => {
  test('Fifty times at once, the same provision makes one instance: one 201, and 200 for all others [CON-01, GLB-00, GLB-01, GLB-02, GLB-03]', async () => {
    const id = randomUUID();
    const answers = await atOnce(() => provision(id, 'trial-timing/quick', { sync }));
    expect(counted(answers)).toEqual({ 200: crowd - 1, 201: 1 });
    expect(await thingsOf(id)).toHaveLength(1);
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 200 });
    expect(await deprovision(id, 'trial-timing/quick', { sync })).toMatchObject({ status: 410 });
  });

  test('Fifty times at once, the same slow provision starts one operation, which all are told [CON-01, PRV-09]', async () => {
    const id = randomUUID();
    const answers = await atOnce(() => provision(id, 'moments/endless'));
    expect(counted(answers)).toEqual({ 202: crowd });
    expect(operationsOf(answers).size).toBe(1);
    expect((await tracesOf(id)).filter((line) => line.startsWith('operations '))).toHaveLength(1);
    await deprovision(id, 'moments/endless', { sync });
  });

  test('Fifty times at once, the same provision of echo makes one instance [CON-01]', async () => {
    const id = randomUUID();
    const answers = await atOnce(() => provision(id, 'echo/large'));
    expect(counted(answers)).toEqual({ 200: crowd - 1, 201: 1 });
    expect(new Set(answers.map(({ body }) => body.dashboard_url)).size).toBe(1);
  });

  test.each<[what: string, one: object, other: object]>([
    ['parameters', { parameters: { size: 2 } }, { parameters: { size: 3 } }],
    ['plans', idsOf('trial-timing/quick'), idsOf('trial-timing/crash')],
  ])(
    'Fifty provisions at once with two kinds of %s: one kind wins, the other is refused [CON-02, CON-04]',
    async (_what, one, other) => {
      const id = randomUUID();
      const bodies = [one, other];
      const answers = await atOnce((index) =>
        provision(id, 'trial-timing/quick', { body: bodies[Math.floor(index / 2) % 2] ?? {} }),
      );
      expectOnly(answers, [200, 201, 202, 409, 422]);
      const winners = new Set(
        answers.flatMap((answer, index) => (made2xx(answer) ? [Math.floor(index / 2) % 2] : [])),
      );
      expect(winners.size).toBe(1);
      await ended(id);
      expect(await fetch(id)).toMatchObject({ status: 200, body: bodies[[...winners][0] ?? 0] });
      expect(await thingsOf(id)).toHaveLength(1);
    },
  );

  test('Fifty times at once, the same bind makes one binding with one set of credentials [CON-03]', async () => {
    const id = await made('trial-timing/quick');
    const answers = await atOnce(() => bind(id, 'b', 'trial-timing/quick', { sync }));
    expect(counted(answers)).toEqual({ 200: crowd - 1, 201: 1 });
    const { credentials } = (await fetchBinding(id, 'b')).body;
    for (const { body } of answers) expect(body.credentials).toEqual(credentials);
    expect(await thingsOf(id)).toHaveLength(2);
  });

  test('Fifty times at once, the same slow bind starts one operation [CON-03, BND-07]', async () => {
    const id = await made('moments/endless-bind');
    const answers = await atOnce(() => bind(id, 'b', 'moments/endless-bind'));
    expect(counted(answers)).toEqual({ 202: crowd });
    expect(operationsOf(answers).size).toBe(1);
  });

  test('Fifty different binds of one instance at once are all made [CON-03]', async () => {
    const id = await made('trial-timing/quick');
    const answers = await atOnce((index) => bind(id, `b${index}`, 'trial-timing/quick', { sync }));
    expect(counted(answers)).toEqual({ 201: crowd });
    expect(new Set(answers.map(({ body }) => body.credentials?.['password'])).size).toBe(crowd);
  });

  test.each(['trial-timing/quick', 'echo/large'])(
    'Fifty deletes of one instance at once: it is gone, and nobody is told anything else: %s [CON-05]',
    async (plan) => {
      const id = await made(plan);
      const answers = await atOnce(() => deprovision(id, plan));
      expectOnly(answers, [200, 202, 410, 422]);
      expect(answers.some(made2xx)).toBe(true);
      await ended(id);
      expect(await deprovision(id, plan)).toMatchObject({ status: 410 });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test('Fifty deletes of one slow instance at once share one operation [CON-05, DEP-07]', async () => {
    const id = await made('moments/endless-removal');
    const answers = await atOnce(() => deprovision(id, 'moments/endless-removal'));
    expect(counted(answers)).toEqual({ 202: crowd });
    expect(operationsOf(answers).size).toBe(1);
  });

  test('Fifty unbinds of one binding at once: it is gone [CON-06]', async () => {
    const id = await made('trial-timing/quick');
    await bind(id, 'b', 'trial-timing/quick', { sync });
    const answers = await atOnce(() => unbind(id, 'b', 'trial-timing/quick'));
    expectOnly(answers, [200, 202, 410, 422]);
    expect(answers.some(made2xx)).toBe(true);
    await ended(`${id}/service_bindings/b`);
    expect(await unbind(id, 'b', 'trial-timing/quick')).toMatchObject({ status: 410 });
    expect(await thingsOf(id)).toHaveLength(1);
  });

  test('Fifty binds at once against a delete: everything can be cleaned up [CON-07]', async () => {
    const plan = 'trial-timing/quick';
    const id = await made(plan);
    const answers = await atOnce((index) =>
      index === crowd / 2 ? deprovision(id, plan) : bind(id, `b${index}`, plan),
    );
    const [removal] = answers.splice(crowd / 2, 1);
    expectOnly(answers, [201, 202, 404, 422]);
    expect([200, 202, 422]).toContain(removal?.status);
    await Promise.all(answers.map((_answer, index) => ended(`${id}/service_bindings/b${index}`)));
    expect([200, 410]).toContain((await deprovision(id, plan, { sync })).status);
    expect(await unbind(id, 'b1', plan)).toMatchObject({ status: 410 });
    expect(await thingsOf(id)).toEqual([]);
  });

  test.each(['trial-timing/quick', 'moments/brief-update'])(
    'Fifty updates of one instance at once: each is done or refused, and it can be used: %s [CON-08, UPD-13]',
    async (plan) => {
      const id = await made(plan);
      const answers = await atOnce((index) =>
        update(id, plan, { body: { parameters: { size: (index % 9) + 2 } } }),
      );
      expectOnly(answers, [200, 202, 422]);
      expect(answers.some(made2xx)).toBe(true);
      expect((await ended(id)).body.state).toBe('succeeded');
      expect(await fetch(id)).toMatchObject({ status: 200 });
      expect(await update(id, plan, { sync, body: { parameters: { size: 1 } } })).toMatchObject({
        status: 200,
      });
      expect(await fetch(id)).toMatchObject({ body: { parameters: { size: 1 } } });
    },
  );

  test.each([
    ['moments/brief', false],
    ['moments/brief', true],
    ['trial-timing/quick', false],
    ['trial-timing/quick', true],
    ['echo/large', true],
  ])(
    'Fifty creates and deletes of one id at once end with nothing: %s, waiting: %j [CON-09]',
    async (plan, waiting) => {
      const id = randomUUID();
      const answers = await atOnce((index) =>
        index % 2 === 0 ? provision(id, plan, { sync: waiting }) : deprovision(id, plan, { sync: waiting }),
      );
      expectOnly(answers, [200, 201, 202, 409, 410, 422]);
      expect([200, 202, 410]).toContain((await deprovision(id, plan)).status);
      await ended(id);
      expect(await deprovision(id, plan)).toMatchObject({ status: 410 });
      expect(await fetch(id)).toMatchObject({ status: 404 });
      expect(await thingsOf(id)).toEqual([]);
    },
  );

  test.each(['trial-timing/quick', 'echo/large'])(
    'Fifty different instances at once are all made: %s [CON-10]',
    async (plan) => {
      const ids = Array.from({ length: crowd }, () => randomUUID());
      const answers = await atOnce((index) => provision(ids[index] ?? '', plan, { sync }));
      expect(counted(answers)).toEqual({ 201: crowd });
    },
  );

  test('Fifty different slow instances at once all succeed [CON-10]', async () => {
    const ids = Array.from({ length: crowd }, () => randomUUID());
    const answers = await atOnce((index) => provision(ids[index] ?? '', 'moments/brief'));
    expect(counted(answers)).toEqual({ 202: crowd });
    const ends = await Promise.all(ids.map((id) => ended(id)));
    expect(new Set(ends.map(({ body }) => body.state))).toEqual(new Set(['succeeded']));
  });

  test('Fifty rotations of one binding at once are accepted [CON-11]', async () => {
    const plan = 'trial-features/rotatable';
    const id = await made(plan);
    await bind(id, 'old', plan, { sync });
    const body = { predecessor_binding_id: 'old' };
    const answers = await atOnce((index) => bind(id, `new${index % 5}`, plan, { body }));
    expectOnly(answers, [200, 201, 202, 409, 422]);
    expect(answers.some(made2xx)).toBe(true);
    expect(await fetchBinding(id, 'old')).toMatchObject({ status: 200 });
  });
});

describe('Two brokers', () => {
  test('Two brokers tell the same of what the other one has begun [CON-01, LOP-03]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await provision(id, 'moments/endless')).body;
    const polls = await atOnce(() => lastOperation(id, { operation }), 2);
    expect(counted(polls)).toEqual({ 200: 2 });
    expect(await atOnce(() => deprovision(id, 'moments/endless', { sync }), 2)).toMatchObject([
      { status: 200 },
      { status: 200 },
    ]);
    expect(await atOnce(() => lastOperation(id, { operation }), 2)).toMatchObject([
      { body: { state: 'failed' } },
      { body: { state: 'failed' } },
    ]);
  });

  test('Two brokers know what the other one has made, changed and removed [CON-01]', async () => {
    const id = await made('moments/failing-bind');
    const change = { sync, body: { parameters: { size: 7 } } };
    expect(await update(id, 'moments/failing-bind', change)).toMatchObject({ status: 200 });
    for (const answer of await atOnce(() => fetch(id), 2)) {
      expect(answer).toMatchObject({ status: 200, body: { parameters: { size: 7 } } });
    }
    await deprovision(id, 'moments/failing-bind', { sync });
    for (const answer of await atOnce(() => fetch(id), 2)) expect(answer).toMatchObject({ status: 404 });
  });
});
