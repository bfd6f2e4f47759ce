import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Failure } from '../../src/broker/errors.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import type { Provisioner, Work } from '../../src/broker/provisioner.ts';
import { faulty } from '../../src/provisioners/faulty/index.ts';
import { aPlan } from '../broker/fixtures.ts';
import { aWork, describeProvisioner, finish } from './contract.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let directory: string;
let provisioner: Provisioner;

beforeEach(async () => {
  directory = scratchDirectory('faulty');
  provisioner = faulty(join(directory, 'things'));
});

function workWith(settings: JsonObject, rest: Partial<Work> = {}): Work {
  const plan = aPlan({ id: 'p1', making: { provisioner: 'faulty', settings } });
  return { ...aWork({ plan, bindingId: 'b1' }), ...rest };
}

/** The instances for which anything is there. */
async function owners(): Promise<unknown[]> {
  return ((await provisioner.inventory?.()) ?? []).map(({ instanceId }) => instanceId);
}

/** Everything that lies in the directory, without the folders. */
async function files(): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name.replace(/-?[0-9a-f]{32}/, ''));
}

describeProvisioner('the faulty one', async () => {
  const place = scratchDirectory('faulty');
  return {
    provisioner: faulty(place),
    making: { settings: { provision: { steps: 2, each: '5ms' }, bind: { takes: '5ms' } } },
    close: () => rm(place, { recursive: true }),
  };
});

test('Without a fault each operation does its deed at once.', async () => {
  const work = workWith({});
  expect(await provisioner.provision(work)).toEqual({
    done: { facts: { thing: { name: expect.any(String) } } },
  });
  expect(await files()).toEqual(['instance.json']);
  await provisioner.bind?.(work);
  expect(await files()).toEqual(expect.arrayContaining(['instance.json', 'binding.json']));
  expect(await provisioner.unbind?.(work)).toEqual({ done: undefined });
  expect(await files()).toEqual(['instance.json']);
  expect(await provisioner.deprovision(work)).toEqual({ done: undefined });
  expect(await files()).toEqual([]);
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
  expect(await files()).toEqual([]);
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
  expect(await files()).toEqual([]);
});

test('A faulty plan with steps: what is removed is there until the last step.', async () => {
  const work = workWith({ deprovision: { steps: 1, each: '1ms' } });
  await provisioner.provision(work);
  expect(await provisioner.deprovision(work)).toHaveProperty('again');
  expect(await files()).toEqual(['instance.json']);
  await provisioner.deprovision({ ...work, memo: { step: 1 } });
  expect(await files()).toEqual([]);
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
  expect(await files()).toEqual([]);
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
  expect(await files()).toEqual(['binding.json']);
  await expect(provisioner.bind?.({ ...work, operationId: 'op2' })).rejects.toThrow('Try 1');
});

test('A faulty plan with fails_times: a deprovision forgets its own tries too.', async () => {
  const work = workWith({ deprovision: { fails_times: 1 } });
  await provisioner.provision(work);
  await expect(provisioner.deprovision(work)).rejects.toThrow('Try 1');
  expect(await owners()).toEqual(['i1']);
  await provisioner.deprovision(work);
  expect(await files()).toEqual([]);
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
  expect(await files()).toEqual(['instance.json']);
});

test('The inventory is empty before anything was made, and names instances of which only a binding is left.', async () => {
  expect(await owners()).toEqual([]);
  await provisioner.bind?.(workWith({}));
  expect(await owners()).toEqual(['i1']);
});

test("The inventory lists folders that are nobody's, and purge removes what was listed, nothing else.", async () => {
  await provisioner.provision(workWith({}));
  await mkdir(join(directory, 'things', 'planted'));
  const listed = (await provisioner.inventory?.()) ?? [];
  expect(listed).toContainEqual({ name: 'folder planted' });
  for (const name of ['folder planted', 'folder planted', 'folder ../things', 'folder .'])
    await provisioner.purge?.({ name });
  expect(await files()).toEqual(['instance.json']);
  expect(await owners()).toEqual(['i1']);
});

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
