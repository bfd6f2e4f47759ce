import { Failure } from '../../../src/broker/errors.ts';
import type { TimelineEntry } from '../../../src/broker/records.ts';
import { aPlan, toBind, toDeprovision, toProvision } from '../fixtures.ts';
import { coreInMemory, scripted, type CoreInMemory } from '../core-in-memory.ts';

/** What an operation has done, step by step. */

const soon = { acceptsIncomplete: true };

async function timelineOf(core: CoreInMemory): Promise<readonly TimelineEntry[]> {
  const [operation] = await core.store.history('i1', 1);
  return core.store.timeline(operation?.id ?? '');
}

async function stepsOf(core: CoreInMemory): Promise<readonly string[]> {
  return (await timelineOf(core)).map(({ step, undo }) => (undo ? `undo ${step}` : step));
}

/** Takes these steps, one after the other; one without a name only waits. */
function inSteps(...steps: readonly (string | undefined)[]) {
  return ({ memo }: { memo?: unknown }) => {
    const at = typeof memo === 'number' ? memo : 0;
    const step = steps[at];
    const did = step === undefined ? {} : { did: { step } };
    return at === steps.length - 1 ? { done: {}, ...did } : { again: { afterMs: 0, memo: at + 1 }, ...did };
  };
}

test('The timeline has the steps in their order, with what they took, and not those that only wait.', async () => {
  const { provisioner } = scripted({
    provision: inSteps('init', 'prepare', 'configure', undefined, 'start', undefined, undefined, 'check_up'),
  });
  const core = coreInMemory(provisioner);
  const before = Date.now();
  await core.broker().broker.provision(toProvision());
  const timeline = await timelineOf(core);
  expect(timeline).toEqual(
    ['init', 'prepare', 'configure', 'start', 'check_up'].map((step) => ({
      step,
      tries: 1,
      undo: false,
      ms: expect.any(Number),
      endedAt: expect.any(Date),
    })),
  );
  for (const { ms, endedAt } of timeline) {
    expect(ms).toBeLessThan(60_000);
    expect(endedAt.getTime()).toBeGreaterThanOrEqual(before);
  }
});

test('How often a step was tried stands there, as the broker counts it or as the provisioner does.', async () => {
  let times = 0;
  const { provisioner } = scripted({
    provision({ memo }) {
      if (memo) return { done: {}, did: { step: 'configure', tries: 2 } };
      if (++times < 3) throw new Error('connection refused');
      return { again: { afterMs: 0, memo: 1 }, did: { step: 'prepare' } };
    },
  });
  const core = coreInMemory(provisioner);
  const { broker, work } = core.broker();
  await broker.provision(toProvision(soon));
  while ((await timelineOf(core)).length < 2) {
    core.pass(4000);
    await work.tick();
  }
  expect(await timelineOf(core)).toMatchObject([
    { step: 'prepare', tries: 3 },
    { step: 'configure', tries: 2 },
  ]);
});

test('Undoing is part of it: what was done, and then what undid it, but not the step that failed.', async () => {
  const forth = inSteps('init', 'prepare', 'configure');
  const { provisioner } = scripted({
    provision(work) {
      if (work.memo === 2) throw new Failure('odd', 'The hook failed.');
      return forth(work);
    },
    deprovision: inSteps('prepare', 'init'),
  });
  const core = coreInMemory(provisioner);
  await expect(core.broker().broker.provision(toProvision())).rejects.toThrow('The hook failed.');
  expect(await stepsOf(core)).toEqual(['init', 'prepare', 'undo prepare', 'undo init']);
});

test('A deprovision that unbinds first what was left bound tells of both.', async () => {
  const { provisioner } = scripted({ unbind: inSteps('drop user'), deprovision: inSteps('stop', 'remove') });
  const core = coreInMemory(provisioner);
  const { broker } = core.broker();
  await broker.provision(toProvision());
  await broker.bind(toBind());
  await broker.deprovision(toDeprovision());
  expect(await stepsOf(core)).toEqual(['drop user', 'stop', 'remove']);
});

/** Steps that come to the same when they are taken again, but the last. @returns what of them was written when */
function repeating(core: () => CoreInMemory, names: readonly string[], last: () => void = () => undefined) {
  const written: (readonly string[])[] = [];
  const { provisioner } = scripted({
    async provision({ memo }) {
      written.push(await stepsOf(core()));
      const at = typeof memo === 'number' ? memo : 0;
      const did = { step: names[at] ?? '' };
      if (at < names.length - 1) return { again: { afterMs: 0, memo: at + 1, repeats: true }, did };
      last();
      return { done: {}, did };
    },
    deprovision: inSteps('remove'),
  });
  return { written, provisioner };
}

test('Steps that come to the same when they are taken again are written together with the next one.', async () => {
  const { written, provisioner } = repeating(() => core, ['init', 'prepare', 'start']);
  const core = coreInMemory(provisioner);
  await core.broker().broker.provision(toProvision());
  expect(written).toEqual([[], [], []]);
  expect(await stepsOf(core)).toEqual(['init', 'prepare', 'start']);
});

test('Steps that were not written yet stand there when the next one fails, before what undid them.', async () => {
  const { provisioner } = repeating(
    () => core,
    ['init', 'prepare', 'start'],
    () => {
      throw new Failure('odd', 'It does not start.');
    },
  );
  const core = coreInMemory(provisioner);
  await expect(core.broker().broker.provision(toProvision())).rejects.toThrow('It does not start.');
  expect(await stepsOf(core)).toEqual(['init', 'prepare', 'undo remove']);
});

test('A broker that takes over takes the steps again that were not written.', async () => {
  const { written, provisioner } = repeating(
    () => core,
    ['init', 'prepare', 'start'],
    () => {
      if (written.length === 3) throw new Error('connection refused');
    },
  );
  const core = coreInMemory(provisioner);
  const first = core.broker();
  await first.broker.provision(toProvision(soon));
  await first.work.handOver();
  core.pass(60_000);
  await core.broker().work.tick();
  expect(written).toEqual([[], [], [], ['init', 'prepare']]);
  expect(await stepsOf(core)).toEqual(['init', 'prepare', 'start']);
});

test('A broker that takes over goes on with it.', async () => {
  const { provisioner } = scripted({
    provision: ({ memo }) =>
      memo
        ? { done: {}, did: { step: 'start' } }
        : { again: { afterMs: 60_000, memo: 1 }, did: { step: 'init' } },
  });
  const core = coreInMemory(provisioner);
  const first = core.broker();
  await first.broker.provision(toProvision(soon));
  await first.work.handOver();
  core.pass(60_000);
  await core.broker().work.tick();
  expect(await stepsOf(core)).toEqual(['init', 'start']);
});

test.each([
  ['forwards', 3_600_000],
  ['backwards', -3_600_000],
])(
  'A clock that is set an hour %s between two steps ends no operation before its time.',
  async (_way, ms) => {
    let wrong = 0;
    const { provisioner } = scripted({
      provision({ memo }) {
        wrong = ms;
        return memo ? { done: {} } : { again: { afterMs: 5, memo: 1 } };
      },
    });
    const core = coreInMemory(provisioner, [aPlan({ maximumPollingDuration: 60 })]);
    const { broker } = core.broker({}, { now: () => new Date(Date.now() + wrong) });
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
    expect(core.events).toContainEqual(expect.objectContaining({ type: 'operation-settled' }));
    expect(core.events.find(({ type }) => type === 'operation-lost')).toBeUndefined();
  },
);
