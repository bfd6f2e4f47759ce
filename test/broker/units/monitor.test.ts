import type { ServicePlan } from '../../../src/broker/catalog.ts';
import type { UnitMonitor } from '../../../src/broker/units/monitor.ts';
import { Failure } from '../../../src/broker/errors.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { leftRunning, type UnitFacts } from '../../../src/broker/units.ts';
import { startWorker } from '../../../src/program/loops/worker.ts';
import { aPlan, toBind, toProvision } from '../fixtures.ts';
import { aWorld, gate, scripted, untilAborted, wrongBy } from '../core-in-memory.ts';

const up: UnitFacts = { unit: 'redis', alive: true, answer: 'ready', pid: 7, address: 'h:1' };
const dead: UnitFacts = { unit: 'redis', alive: false, answer: 'unasked', reason: 'it exited with 1' };
const silent: UnitFacts = { ...up, answer: 'silent' };

interface State {
  facts: readonly UnitFacts[];
  /** Instead of the facts. */
  inspect?: (work: Work) => Promise<readonly UnitFacts[]>;
  /** What a bind waits for. */
  onBind?: () => Promise<unknown>;
  /** A restart ends in vain. */
  left?: boolean;
  /** What somebody does as soon as it is written down what was seen. */
  onSaved?: () => Promise<unknown>;
}

/** One instance `i1`, made, whose units are as the test says, and a broker, with a wrong clock, that looks at them. */
async function watched(plan: ServicePlan = aPlan(), wrong = 0) {
  const state: State = { facts: [up] };
  const { provisioner, asked } = scripted({
    inspect: async (work) => (state.inspect ? state.inspect(work) : state.facts),
    start: () => ({ done: {} }),
    stop: () => ({ done: {} }),
    bind: async () => {
      await state.onBind?.();
      return { done: {} };
    },
    restart: () => {
      if (state.left) throw new Failure(leftRunning, 'It did not end.');
      return { done: {} };
    },
  });
  const world = aWorld(provisioner, [plan]);
  const { store, events } = world;
  const { broker, work, checks } = world.broker(
    {},
    {
      ...wrongBy(wrong, world),
      store: {
        ...store,
        async saveSeen(...seen) {
          await store.saveSeen(...seen);
          await state.onSaved?.();
        },
      },
    },
  );
  await broker.provision(toProvision());
  return {
    store,
    events,
    pass: (ms: number) => world.pass(ms),
    state,
    broker,
    checks,
    work,
    restarts: () => asked.filter(({ deed }) => deed === 'restart').map((one) => one.work.units),
    asked,
    changes: () => events.flatMap((event) => (event.type === 'unit-changed' ? [event] : [])),
    seen: async () => (await store.findSeen('i1')) ?? { units: [], checkedAt: '' },
    healing: async () => (await store.findSeen('i1'))?.units[0]?.healing,
    /** Looks at all that is due, after so many milliseconds. */
    lookAfter: async (ms: number) => {
      world.pass(ms);
      await lookAtAll(checks);
    },
  };
}

async function lookAtAll(checks: UnitMonitor): Promise<void> {
  for (;;) {
    const taken = await checks.take();
    if ('sleepMs' in taken) return;
    await taken.ended;
  }
}

const origin = { protocol: 'test' };
const toOperate = { instanceId: 'i1', origin, acceptsIncomplete: false };

describe('A look at the units', () => {
  test('What is new is looked at at once, then every so often; what was seen is remembered and told.', async () => {
    const { checks, seen, changes, lookAfter, pass } = await watched();
    await lookAfter(0);
    expect(await seen()).toMatchObject({
      units: [{ unit: 'redis', status: 'started', reason: 'it runs and answers', pid: 7, address: 'h:1' }],
    });
    expect(changes()).toEqual([
      {
        type: 'unit-changed',
        instanceId: 'i1',
        unit: 'redis',
        to: 'started',
        reason: 'it runs and answers',
      },
    ]);
    pass(9000);
    const next = await checks.take();
    expect(next).toEqual({ sleepMs: expect.any(Number) });
    const { checkedAt } = await seen();
    await lookAfter(1000);
    expect(Date.parse((await seen()).checkedAt)).toBeGreaterThan(Date.parse(checkedAt) + 9000);
    expect(changes()).toHaveLength(1);
  });

  test('Since when it is so is kept as long as it is so.', async () => {
    const { state, seen, changes, lookAfter } = await watched();
    await lookAfter(0);
    const [first] = (await seen()).units;
    await lookAfter(10_000);
    expect((await seen()).units[0]?.since).toBe(first?.since);
    state.facts = [silent];
    await lookAfter(10_000);
    const [changed] = (await seen()).units;
    expect(changed?.status).toBe('unreachable');
    expect(Date.parse(changed?.since ?? '')).toBeGreaterThan(Date.parse(first?.since ?? '') + 19_000);
    expect(changes().at(-1)).toMatchObject({ from: 'started', to: 'unreachable' });
  });

  test('No unit ever disappears because of its state: at what nobody can look is down.', async () => {
    const { state, seen, events, lookAfter } = await watched();
    state.facts = [up, { ...dead, unit: 'sidecar' }, { ...silent, unit: 'web' }];
    await lookAfter(0);
    expect((await seen()).units.map(({ unit, status }) => [unit, status])).toEqual([
      ['redis', 'started'],
      ['sidecar', 'error'],
      ['web', 'unreachable'],
    ]);
    state.inspect = () => Promise.reject(new Error('The disk is gone'));
    await lookAfter(10_000);
    const { units } = await seen();
    expect(units.map(({ unit, status, reason }) => [unit, status, reason])).toEqual(
      ['redis', 'sidecar', 'web'].map((unit) => [unit, 'down', 'it could not be looked at']),
    );
    const troubles = () => events.filter((event) => event.type === 'trouble');
    expect(troubles()).toMatchObject([{ detail: expect.stringContaining('The disk is gone') }]);
    await lookAfter(10_000);
    expect(troubles()).toHaveLength(1);
  });

  test('At what nobody could ever look is down, under the name of its offering.', async () => {
    const { state, seen, lookAfter } = await watched();
    state.inspect = () => Promise.reject(new Error('no'));
    await lookAfter(0);
    expect((await seen()).units).toMatchObject([{ unit: 'cache', status: 'down' }]);
  });

  test('Nothing confidential is told of what was seen.', async () => {
    const { state, seen, changes, events, lookAfter } = await watched(
      aPlan({ making: { secrets: { admin: { per: 'instance', length: 20 } } } }),
    );
    state.inspect = async ({ instance }) => [
      { ...dead, reason: `it exited: password ${instance.confidential.secrets['admin']} is wrong` },
    ];
    await lookAfter(0);
    expect((await seen()).units[0]?.reason).toBe('it exited: password *** is wrong');
    expect(changes()[0]?.reason).toBe('it exited: password *** is wrong');
    state.inspect = async ({ values }) => Promise.reject(new Error(JSON.stringify(values['secrets'])));
    await lookAfter(10_000);
    expect(events.at(-1)).toMatchObject({ type: 'trouble', detail: 'Error: {"admin":"***"}' });
  });

  test('Single units that were stopped are at rest, and stay so.', async () => {
    const { state, broker, seen, restarts, lookAfter } = await watched();
    await broker.stop({ ...toOperate, units: ['web'] });
    state.facts = [up, { ...dead, unit: 'web' }, { ...dead, unit: 'job' }];
    for (const ms of [0, 10_000, 10_000]) await lookAfter(ms);
    expect((await seen()).units.map(({ unit, status }) => [unit, status])).toEqual([
      ['redis', 'started'],
      ['web', 'stopped'],
      ['job', 'error'],
    ]);
    expect(restarts()).toEqual([['job'], ['job']]);
  });

  test('What was seen while somebody stopped it means nothing.', async () => {
    const { state, broker, checks, seen, restarts, changes, lookAfter, pass } = await watched();
    await lookAfter(0);
    const stopped = gate();
    state.inspect = async () => {
      await stopped.passed;
      return [dead];
    };
    pass(10_000);
    const { ended: look } = await begin(checks);
    await broker.stop(toOperate);
    stopped.open();
    await look;
    expect((await seen()).units[0]?.status).toBe('started');
    await lookAfter(0);
    expect((await seen()).units[0]?.status).toBe('stopped');
    await lookAfter(60_000);
    expect(restarts()).toEqual([]);
    expect(changes().map(({ to }) => to)).toEqual(['started', 'stopped']);
  });

  test('As long as a look goes on, there is no second one beside it.', async () => {
    const { state, checks, pass } = await watched();
    const ended = gate();
    let looks = 0;
    state.inspect = async () => {
      looks += 1;
      await ended.passed;
      return [up];
    };
    const { ended: first } = await begin(checks);
    pass(10_000);
    await begin(checks);
    ended.open();
    await first;
    expect(looks).toBe(1);
  });

  test('P5: One of 200 that never answers keeps nobody waiting, and is told as down when its time is over.', async () => {
    const { state, store, broker, checks, events } = await watched();
    const ids = Array.from({ length: 199 }, (_, number) => `n${number}`);
    for (const instanceId of ids) await broker.provision(toProvision({ instanceId }));
    let hanging = 0;
    state.inspect = async ({ instance, signal }) => {
      if (instance.id !== 'n77') return [up];
      hanging += 1;
      return untilAborted(signal);
    };
    const began = performance.now();
    const worker = startWorker({ work: checks, concurrency: 8, observe: (event) => void events.push(event) });
    const statusOf = async (id: string) => (await store.findSeen(id))?.units[0]?.status;
    while ((await statusOf('n77')) === undefined) await new Promise((resolve) => setImmediate(resolve));
    const statuses = await Promise.all(ids.map((id) => statusOf(id)));
    await worker.stop(1000);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(statuses.filter((status) => status === 'started')).toHaveLength(198);
    expect((await store.findSeen('n77'))?.units).toMatchObject([
      { status: 'down', reason: 'it could not be looked at in time' },
    ]);
    expect(hanging).toBe(1);
  }, 15_000);
});

/** Begins a look and does not wait for it. */
async function begin(checks: UnitMonitor): Promise<{ ended: Promise<unknown> }> {
  const taken = await checks.take();
  if ('sleepMs' in taken) throw new Error('Nothing is due');
  return taken;
}

describe('Healing', () => {
  test('P15: What fails is restarted three times, as an operation of the monitor, and then left alone.', async () => {
    const { state, seen, restarts, store, events, lookAfter } = await watched();
    await lookAfter(0);
    state.facts = [dead];
    await lookAfter(10_000);
    expect(restarts()).toHaveLength(0);
    await lookAfter(900);
    expect(restarts()).toHaveLength(0);
    await lookAfter(150);
    expect(restarts()).toEqual([['redis']]);
    const [operation] = await store.history('i1', 1);
    expect(operation).toMatchObject({ kind: 'restart', origin: { protocol: 'monitor' }, state: 'succeeded' });
    await lookAfter(0);
    await lookAfter(3500);
    expect(restarts()).toHaveLength(1);
    await lookAfter(1000);
    expect(restarts()).toHaveLength(2);
    await lookAfter(0);
    await lookAfter(15_000);
    expect(restarts()).toHaveLength(2);
    await lookAfter(1500);
    expect(restarts()).toHaveLength(3);
    await lookAfter(0);
    for (let look = 0; look < 100; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(3);
    const said = 'it exited with 1; it was restarted 3 times within 10 minutes and is left alone';
    expect(await seen()).toMatchObject({
      units: [{ status: 'error', reason: said, healing: { leftAlone: true } }],
    });
    expect(events.filter(({ type }) => type === 'left-alone')).toEqual([
      { type: 'left-alone', instanceId: 'i1', unit: 'redis', restarts: 3 },
    ]);
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'When people have restarted what was left alone, it is healed again; the clock is %s.',
    async (_how, wrong) => {
      const { state, healing, broker, restarts, lookAfter } = await watched(
        aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
        wrong,
      );
      await broker.restart(toOperate);
      await broker.stop(toOperate);
      await broker.start(toOperate);
      state.facts = [dead];
      for (let look = 0; look < 3; look += 1) await lookAfter(10_000);
      expect(restarts()).toHaveLength(2);
      expect((await healing())?.leftAlone).toBe(true);
      expect(await broker.status('i1')).toMatchObject({ status: 'error', leftAlone: true });
      await lookAfter(10_000);
      expect((await healing())?.leftAlone).toBe(true);
      await broker.restart(toOperate);
      expect(restarts()).toHaveLength(3);
      await lookAfter(0);
      expect((await healing())?.leftAlone).toBe(false);
      await lookAfter(1000);
      expect(restarts()).toHaveLength(4);
      await lookAfter(0);
      expect((await healing())?.leftAlone).toBe(true);
      state.facts = [up];
      await lookAfter(10_000);
      expect(await healing()).toBeUndefined();
    },
  );

  test('A bind or a stop says nothing to what is left alone.', async () => {
    const { state, seen, healing, broker, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
    );
    state.facts = [dead];
    for (let look = 0; look < 3; look += 1) await lookAfter(10_000);
    expect((await healing())?.leftAlone).toBe(true);
    await broker.stop(toOperate);
    await lookAfter(10_000);
    expect(await seen()).toMatchObject({ units: [{ status: 'stopped', healing: { leftAlone: true } }] });
  });

  test('What somebody stops between the look and the restart is not started again.', async () => {
    const { state, broker, checks, store, restarts, lookAfter, pass } = await watched();
    await lookAfter(0);
    state.facts = [dead];
    await lookAfter(10_000);
    pass(1000);
    state.onSaved = () => broker.stop(toOperate);
    const { ended } = await begin(checks);
    await ended;
    expect(restarts()).toEqual([]);
    expect((await store.findInstance('i1'))?.instance.stopped).toBe(true);
  });

  test('What does not answer is not restarted, and what shall never be restarted is not.', async () => {
    const { state, restarts, seen, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 0, within: 600_000 } } }),
    );
    state.facts = [dead];
    for (let look = 0; look < 4; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([]);
    expect(await seen()).toMatchObject({ units: [{ status: 'error', reason: 'it exited with 1' }] });
    const other = await watched();
    other.state.facts = [silent];
    for (let look = 0; look < 4; look += 1) await other.lookAfter(10_000);
    expect(other.restarts()).toEqual([]);
  });

  test('What lives is never restarted, whatever it answers: full, busy, loading, hanging, or failed for its hook.', async () => {
    const { state, restarts, seen, events, lookAfter } = await watched();
    const full = { ...up, answer: 'wrong', reason: 'it answers: too many connections' } as const;
    for (const facts of [full, silent, { ...up, failed: 'its hook says no' }, { ...silent, failed: 'no' }]) {
      state.facts = [facts];
      for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
      expect(restarts()).toEqual([]);
    }
    state.facts = [full];
    await lookAfter(10_000);
    expect((await seen()).units).toMatchObject([
      { status: 'error', reason: 'it answers: too many connections', pid: 7 },
    ]);
    expect(events.filter(({ type }) => type === 'left-alone')).toEqual([]);
  });

  test('Of several units only the dead one is started, and the provisioner is told to spare the others.', async () => {
    const { state, asked, lookAfter } = await watched();
    state.facts = [up, { ...dead, unit: 'web' }, { ...up, unit: 'job', answer: 'wrong' }];
    for (const ms of [0, 1000]) await lookAfter(ms);
    const restarted = asked.filter(({ deed }) => deed === 'restart').map(({ work }) => work);
    expect(restarted).toMatchObject([{ units: ['web'], sparing: { end: [] } }]);
  });

  test('Each unit has its own limit: one that dies again and again does not take that of the others.', async () => {
    const { state, restarts, seen, lookAfter } = await watched(
      aPlan({ operating: { monitor: { every: 10_000, restart: 1, within: 600_000 } } }),
    );
    state.facts = [{ ...dead, unit: 'web' }, up];
    for (let look = 0; look < 5; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([['web']]);
    state.facts = [{ ...dead, unit: 'web' }, dead];
    for (let look = 0; look < 5; look += 1) await lookAfter(10_000);
    expect(restarts()).toEqual([['web'], ['redis']]);
    expect((await seen()).units.map(({ healing }) => healing?.leftAlone)).toEqual([true, true]);
  });

  test('Where the offering asks for it, what answers wrongly is asked to end and started again.', async () => {
    const { state, asked, lookAfter } = await watched(asking());
    state.facts = [
      { ...up, answer: 'wrong' },
      { ...silent, unit: 'web' },
      { ...dead, unit: 'job' },
    ];
    for (const ms of [0, 1000]) await lookAfter(ms);
    const restarted = asked.filter(({ deed }) => deed === 'restart').map(({ work }) => work);
    expect(restarted).toMatchObject([{ units: ['redis', 'job'], sparing: { end: ['redis'] } }]);
  });

  test('What does not end when it is asked to is left as it is, which is said, until people have tended to it.', async () => {
    const { state, broker, restarts, seen, lookAfter } = await watched(asking());
    state.facts = [{ ...up, answer: 'wrong' }];
    state.left = true;
    for (let look = 0; look < 20; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(1);
    expect((await seen()).units).toMatchObject([
      {
        status: 'error',
        reason: expect.stringMatching(/; it was asked to end, did not in time, and is left/),
      },
    ]);
    expect(await broker.status('i1')).toMatchObject({ leftAlone: true });
    state.left = false;
    await broker.restart(toOperate);
    for (let look = 0; look < 2; look += 1) await lookAfter(10_000);
    expect(restarts()).toHaveLength(3);
  });

  test('It meets no bind: as long as one is open it is put off, and does not count.', async () => {
    const { state, broker, work, restarts, healing, store, lookAfter } = await watched();
    await lookAfter(0);
    const ended = gate();
    state.onBind = () => ended.passed;
    const bound = broker.bind(toBind({ acceptsIncomplete: true }));
    while (!(await store.findInstance('i1'))?.bindingsBusy) await new Promise(setImmediate);
    state.facts = [dead];
    await lookAfter(10_000);
    for (let look = 0; look < 10; look += 1) await lookAfter(1000);
    expect(restarts()).toEqual([]);
    expect(await healing()).toMatchObject({ restarts: [], leftAlone: false });
    ended.open();
    await bound;
    await work.rest();
    await lookAfter(1000);
    expect(restarts()).toEqual([['redis']]);
    expect((await healing())?.restarts).toHaveLength(1);
  });
});

function asking(): ServicePlan {
  const monitor = { every: 10_000, restart: 3, within: 600_000, restartOn: ['wrong-answer'] } as const;
  return aPlan({ operating: { monitor } });
}
