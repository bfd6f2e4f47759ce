import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Failure } from '../../src/broker/errors.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import type { Provisioner, Work } from '../../src/broker/provisioner.ts';
import { faulty } from '../../src/provisioners/faulty/index.ts';
import { faultyMigrations } from '../../src/provisioners/faulty/migrations.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { aPlan } from '../broker/fixtures.ts';
import { aWork, describeProvisioner, finish } from './contract.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const nowhere = '/nowhere/trial';
let database: TestDatabase;
let provisioner: Provisioner;
/** Of another broker on the same database. */
let other: Provisioner;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [faultyMigrations]);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('delete from trial_records');
  [provisioner, other] = await Promise.all([faulty(database.pool, nowhere), faulty(database.pool, nowhere)]);
});

function workWith(settings: JsonObject, rest: Partial<Work> = {}): Work {
  const plan = aPlan({ id: 'p1', making: { provisioner: 'faulty', settings } });
  return { ...aWork({ plan, bindingId: 'b1' }), ...rest };
}

/** The instances for which anything is there. */
async function owners(): Promise<unknown[]> {
  return ((await provisioner.inventory?.()) ?? []).map(({ instanceId }) => instanceId);
}

/** All that is remembered, by the kind of the record. */
async function records(): Promise<string[]> {
  const { rows } = await database.pool.query<{ part: string }>(
    'select part from trial_records order by part',
  );
  return rows.map(({ part }) => part.replace(/-?[0-9a-f]{32}/, ''));
}

describeProvisioner('the faulty one', async () => {
  const own = await openTestDatabase();
  await migrate(own.pool, [faultyMigrations]);
  return {
    provisioner: await faulty(own.pool, nowhere),
    making: { settings: { provision: { steps: 2, each: '5ms' }, bind: { takes: '5ms' } } },
    close: () => own.close(),
  };
});

test('Without a fault each operation does its deed at once.', async () => {
  const work = workWith({});
  expect(await provisioner.provision(work)).toEqual({
    done: { facts: { thing: { name: expect.any(String) } } },
  });
  expect(await records()).toEqual(['instance']);
  await provisioner.bind?.(work);
  expect(await records()).toEqual(expect.arrayContaining(['instance', 'binding']));
  expect(await provisioner.unbind?.(work)).toEqual({ done: undefined });
  expect(await records()).toEqual(['instance']);
  expect(await provisioner.deprovision(work)).toEqual({ done: undefined });
  expect(await records()).toEqual([]);
});

test('The name of a thing is fit for a host name, whatever the id.', async () => {
  const work = aWork({ plan: workWith({}).plan, instanceId: 'Ñ/../ 👍🏽' });
  expect(await finish(provisioner, 'provision', work)).toEqual({
    facts: { thing: { name: expect.stringMatching(/^[0-9a-f]{12}$/) } },
  });
});

test('A faulty plan with takes: a single step lasts that long.', async () => {
  const started = performance.now();
  expect(await provisioner.provision(workWith({ provision: { takes: '60ms' } }))).toHaveProperty('done');
  expect(performance.now() - started).toBeGreaterThan(55);
});

test('A faulty plan with takes: ends at once when the work is given up, and nothing is made.', async () => {
  const stop = new AbortController();
  const step = provisioner.provision(workWith({ provision: { takes: '5m' } }, { signal: stop.signal }));
  stop.abort();
  await expect(step).rejects.toThrow('The operation was aborted');
  expect(await records()).toEqual([]);
});

test('A faulty plan with steps: memo follows memo, with notes for the user and pauses between.', async () => {
  const work = workWith({ provision: { steps: 2, each: '2s' } });
  const one = { afterMs: 2000, memo: { step: 1 }, note: 'Step 1 of 2' };
  const two = { afterMs: 2000, memo: { step: 2 }, note: 'Step 2 of 2' };
  expect(await provisioner.provision(work)).toEqual({ again: one });
  expect(await provisioner.provision({ ...work, memo: one.memo })).toEqual({ again: two });
  expect(await provisioner.provision({ ...work, memo: two.memo })).toHaveProperty('done');
});

test('A faulty plan with steps: the thing is there from the first step on, so a cancelled provision has something to remove.', async () => {
  const work = workWith({ provision: { steps: 2 } });
  await provisioner.provision(work);
  expect(await owners()).toEqual(['i1']);
  await provisioner.deprovision(work);
  expect(await records()).toEqual([]);
});

test('A faulty plan with steps: what is removed is there until the last step.', async () => {
  const work = workWith({ deprovision: { steps: 1, each: '1ms' } });
  await provisioner.provision(work);
  expect(await provisioner.deprovision(work)).toHaveProperty('again');
  expect(await records()).toEqual(['instance']);
  await provisioner.deprovision({ ...work, memo: { step: 1 } });
  expect(await records()).toEqual([]);
});

test('A faulty plan with never: there is always another step.', async () => {
  const work = workWith({ provision: { never: true, each: '1m' } });
  const memo = { step: 999 };
  expect(await provisioner.provision({ ...work, memo })).toEqual({
    again: { afterMs: 60_000, memo: { step: 1000 }, note: expect.stringContaining('1000') },
  });
});

test('A faulty plan with fails: a failure for good, with the sentence of the plan, before anything is made.', async () => {
  const step = provisioner.provision(workWith({ provision: { fails: 'No room.' } }));
  await expect(step).rejects.toEqual(expect.any(Failure));
  await expect(step).rejects.toThrow('No room.');
  expect(await records()).toEqual([]);
});

test('A faulty plan with fails: after its steps.', async () => {
  const work = workWith({ bind: { steps: 1, each: '1ms', fails: 'No password.' } });
  expect(await provisioner.bind?.(work)).toHaveProperty('again');
  await expect(provisioner.bind?.({ ...work, memo: { step: 1 } })).rejects.toThrow('No password.');
});

test.each([
  [true, false],
  [false, true],
])(
  'A faulty plan with fails: tells of an update whether the instance is usable (%j) and it is repeatable (%j).',
  async (usable, repeatable) => {
    const update = { fails: 'No.', instance_usable: usable, update_repeatable: repeatable };
    await expect(provisioner.update?.(workWith({ update }))).rejects.toMatchObject({
      hints: { instanceUsable: usable, updateRepeatable: repeatable },
    });
  },
);

test('A faulty plan with fails_after_making: a failure for good, and the thing is there.', async () => {
  const work = workWith({ provision: { fails_after_making: 'It does not start.' } });
  await expect(provisioner.provision(work)).rejects.toEqual(new Failure('on-purpose', 'It does not start.'));
  expect(await owners()).toEqual(['i1']);
});

test('A faulty plan with only_first: the first operation fails however often it is tried, the next one works.', async () => {
  const work = workWith({ unbind: { fails: 'In use.', only_first: true } });
  await provisioner.bind?.(work);
  await expect(provisioner.unbind?.(work)).rejects.toThrow('In use.');
  await expect(provisioner.unbind?.(work)).rejects.toThrow('In use.');
  expect(await provisioner.unbind?.({ ...work, operationId: 'op2' })).toEqual({ done: undefined });
});

test('A faulty plan with fails_times: so many tries break unexpectedly, then it works and forgets them.', async () => {
  const work = workWith({ bind: { fails_times: 2 } });
  await expect(provisioner.bind?.(work)).rejects.toThrow('Try 1 of this bind fails, as the plan says.');
  await expect(provisioner.bind?.(work)).rejects.not.toEqual(expect.any(Failure));
  expect(await provisioner.bind?.(work)).toHaveProperty('done');
  expect(await records()).toEqual(['binding']);
  await expect(provisioner.bind?.({ ...work, operationId: 'op2' })).rejects.toThrow('Try 1');
});

test('A faulty plan with fails_times: a deprovision forgets its own tries too.', async () => {
  const work = workWith({ deprovision: { fails_times: 1 } });
  await provisioner.provision(work);
  await expect(provisioner.deprovision(work)).rejects.toThrow('Try 1');
  expect(await owners()).toEqual(['i1']);
  await provisioner.deprovision(work);
  expect(await records()).toEqual([]);
});

test('A faulty plan with throws: every try breaks unexpectedly.', async () => {
  const work = workWith({ provision: { throws: 'Broken.' } });
  for (const _try of [1, 2, 3])
    await expect(provisioner.provision(work)).rejects.toEqual(new Error('Broken.'));
});

test('A faulty plan with crash_after_making: the first try breaks when the thing is there, the next one finds it.', async () => {
  const work = workWith({ provision: { crash_after_making: true } });
  await expect(provisioner.provision(work)).rejects.toThrow('The first try breaks when all is made.');
  expect(await owners()).toEqual(['i1']);
  expect(await provisioner.provision(work)).toHaveProperty('done');
  expect(await records()).toEqual(['instance']);
});

test('The inventory is empty before anything was made, and names instances of which only a binding is left.', async () => {
  expect(await owners()).toEqual([]);
  await provisioner.bind?.(workWith({}));
  expect(await owners()).toEqual(['i1']);
});

test('Purging removes what the inventory has listed, once or again, and nothing else.', async () => {
  await provisioner.provision(workWith({}));
  await provisioner.provision(aWork({ plan: workWith({}).plan, instanceId: 'i2' }));
  const listed = (await provisioner.inventory?.()) ?? [];
  expect(new Set(await owners())).toEqual(new Set(['i1', 'i2']));
  const second = listed.find(({ instanceId }) => instanceId === 'i2');
  for (const name of [second?.name ?? '', second?.name ?? '', 'thing ', 'thing %'])
    await other.purge?.({ name });
  expect(await owners()).toEqual(['i1']);
});

test('Brokers on one database agree on what is there, and any of them removes it.', async () => {
  const work = workWith({});
  const made = await provisioner.provision(work);
  expect(await other.provision(work)).toEqual(made);
  await other.bind?.(work);
  expect(await provisioner.inventory?.()).toEqual(await other.inventory?.());
  expect(await owners()).toEqual(['i1']);
  await provisioner.unbind?.(work);
  expect(await records()).toEqual(['instance']);
  await other.deprovision(work);
  expect(await owners()).toEqual([]);
});

test('Brokers on one database count the tries of an operation together, each try once.', async () => {
  const work = workWith({ bind: { fails_times: 6 } });
  const both = [provisioner, other, provisioner, other, provisioner, other];
  const tries = await Promise.allSettled(both.map(async (one) => one.bind?.(work)));
  const said = tries.map((one) => (one.status === 'rejected' ? String(one.reason) : 'done')).toSorted();
  expect(said).toEqual(
    [1, 2, 3, 4, 5, 6].map((n) => `Error: Try ${n} of this bind fails, as the plan says.`),
  );
  expect(await other.bind?.(work)).toHaveProperty('done');
});

test('Brokers on one database agree which operation was the first of its kind.', async () => {
  const work = workWith({ unbind: { fails: 'In use.', only_first: true } });
  const ids = ['op1', 'op2', 'op3', 'op4'];
  const ends = await Promise.allSettled(
    ids.map(async (operationId, at) =>
      (at % 2 === 0 ? provisioner : other).unbind?.({ ...work, operationId }),
    ),
  );
  const first = ends.findIndex(({ status }) => status === 'rejected');
  expect(ends.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
  await expect(other.unbind?.({ ...work, operationId: ids[first] ?? '' })).rejects.toThrow('In use.');
});

describe('What broker 0.1.0 kept in files', () => {
  /** As it wrote them for an instance without a key, which the rows of that broker have none of. */
  function writeEarlier(): string {
    const earlier = join(scratchDirectory('earlier'), 'trial');
    const folder = join(earlier, digest('i1'));
    mkdirSync(folder, { recursive: true });
    const write = (name: string, said: object) =>
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ instance: 'i1', ...said }));
    write('instance', { plan: 'p1' });
    write(`binding-${digest('b1')}`, { binding: 'b1' });
    write(`tries-unbind-${digest('op1 b1')}`, { tries: 1 });
    write('first-deprovision', { operation: 'op-earlier' });
    writeFileSync(join(folder, '.half-a-file'), '{"inst');
    return earlier;
  }
  const keyless = (settings: JsonObject) => {
    const work = workWith(settings);
    const binding = work.binding && { ...work.binding, key: undefined };
    return { ...work, instance: { ...work.instance, key: undefined }, binding };
  };

  test('What broker 0.1.0 kept in files is in the database once a broker has started, and the files are gone.', async () => {
    const earlier = writeEarlier();
    const later = await faulty(database.pool, earlier);
    expect(await records()).toEqual(['binding', 'first-deprovision', 'instance', 'tries-unbind']);
    expect(await owners()).toEqual(['i1']);
    expect(existsSync(earlier)).toBe(false);
    const unbind = { fails_times: 2 };
    await expect(later.unbind?.(keyless({ unbind }))).rejects.toThrow('Try 2 of this unbind');
    const work = keyless({ deprovision: { fails: 'In use.', only_first: true } });
    expect(await other.deprovision(work)).toEqual({ done: undefined });
    expect(await records()).toEqual([]);
  });

  test('What broker 0.1.0 kept in files waits there for a database that is away, and what is of nobody stays.', async () => {
    const earlier = writeEarlier();
    mkdirSync(join(earlier, 'planted'));
    await database.pool.query('alter table trial_records rename to away');
    const later = await faulty(database.pool, earlier);
    expect(existsSync(join(earlier, digest('i1'), 'instance.json'))).toBe(true);
    await database.pool.query('alter table away rename to trial_records');
    expect(await later.inventory?.()).toHaveLength(1);
    expect(readdirSync(earlier)).toEqual(['planted']);
  });

  test('What broker 0.1.0 kept in files does not undo what has been written since.', async () => {
    await provisioner.provision(keyless({}));
    await database.pool.query(`update trial_records set plan_id = 'later'`);
    await faulty(database.pool, writeEarlier());
    const { rows } = await database.pool.query(`select plan_id from trial_records where part = 'instance'`);
    expect(rows).toEqual([{ plan_id: 'later' }]);
  });
});

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

test.each([
  [{ provision: { takes: '1h' } }],
  [{ provision: { steps: 0 } }],
  [{ provision: { only_first: true } }],
  [{ bind: { instance_usable: true } }],
  [{ deprovision: { crash_after_making: true } }],
  [{ restart: {} }],
])('A plan cannot say %j.', (settings) => {
  expect(new Ajv().validate(provisioner.traits.settings ?? {}, settings)).toBe(false);
});
