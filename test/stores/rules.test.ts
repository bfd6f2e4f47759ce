import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

/** What tables refuse by themselves, whoever writes it. */

let database: TestDatabase;
let rows = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
});
afterAll(() => database.close());

interface Columns {
  readonly kind?: string;
  readonly binding?: string;
  readonly state?: string;
  readonly finished?: boolean;
  readonly holder?: string;
  readonly confidential?: string;
}

/** The rule that refuses it, or undefined. */
async function refusedBy(columns: Columns): Promise<unknown> {
  const { kind = 'provision', binding, state = 'succeeded', finished = true, holder, ...rest } = columns;
  const text = `insert into operations (id, kind, instance_id, binding_id, offering_id, plan_id, state, attempt,
      failures, holder, origin, confidential, finished_at, deadline)
    values ($1, $2, $1, $3, 'o', 'p', $4, 1, 0, $5, '{}', $6, case when $7 then now() end, now())`;
  const values = [`rule-${(rows += 1)}`, kind, binding, state, holder, rest.confidential ?? '{}', finished];
  return refusal(text, values);
}

function refusal(text: string, values: readonly unknown[]): Promise<unknown> {
  return database.pool.query(text, [...values]).then(
    () => undefined,
    (error: { constraint?: string }) => error.constraint,
  );
}

const ofInstances = 'provision update deprovision start stop restart backup restore action adopt'.split(' ');

test('The table of operations takes each kind for an instance, or for a binding, and no other', async () => {
  for (const kind of ofInstances) {
    expect(await refusedBy({ kind })).toBeUndefined();
    expect(await refusedBy({ kind, binding: 'b' })).toBe('operations_kind');
  }
  for (const kind of ['bind', 'unbind']) {
    expect(await refusedBy({ kind, binding: 'b' })).toBeUndefined();
    expect(await refusedBy({ kind })).toBe('operations_kind');
  }
  for (const kind of ['', 'destroy', '{provision}'])
    expect(await refusedBy({ kind })).toBe('operations_kind');
});

test.each<[sentence: string, Columns, isLawful: boolean]>([
  ['that goes on, with a holder and secrets', open({ holder: 'h', confidential: '{"a":1}' }), true],
  ['that goes on, and has ended', { state: 'in progress', finished: true }, false],
  ['that has succeeded', { state: 'succeeded' }, true],
  ['that has failed', { state: 'failed' }, true],
  ['that has succeeded, and not ended', { finished: false }, false],
  ['that has failed, and not ended', { state: 'failed', finished: false }, false],
  ['that has ended, and is held', { holder: 'h' }, false],
  ['that has ended, and remembers a secret', { confidential: '{"a":1}' }, false],
  ['in another state', { state: 'lost' }, false],
  ['in another state, not ended', { state: 'lost', finished: false }, false],
])('The table of operations, asked for one %s', async (_, columns, isLawful) => {
  expect(await refusedBy(columns)).toBe(isLawful ? undefined : 'operations_state');
});

function open(columns: Columns): Columns {
  return { state: 'in progress', finished: false, ...columns };
}

test.each([
  [null, undefined],
  ['succeeded', undefined],
  ['failed', undefined],
  ['refused', undefined],
  ['forgotten', 'audit_trail_outcome_check'],
])('The audit trail, given the outcome %s, refuses it by %s', async (outcome, rule) => {
  const text = `insert into audit_trail (id, broker, protocol, verb, object_kind, object_id, outcome, confidential)
    values ($1, 'b', 'osb', 'provision', 'instance', 'i', $2, '{}')`;
  expect(await refusal(text, [`rule-${(rows += 1)}`, outcome])).toBe(rule);
});
