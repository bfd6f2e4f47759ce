import { startWorker } from '../../../src/program/loops/worker.ts';
import { aPlan, toProvision } from '../fixtures.ts';
import { gate, untilAborted } from '../core-in-memory.ts';
import { up, dead, silent, watched, toOperate, begin } from './watched-units.ts';

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

  test('A look for which this machine had no room says nothing of the units: nothing is down, restarted or counted.', async () => {
    const { state, seen, events, restarts, healing, lookAfter } = await watched();
    await lookAfter(0);
    const before = await seen();
    state.inspect = () =>
      Promise.reject(Object.assign(new Error('connect EMFILE 10.0.0.1:6379'), { code: 'EMFILE' }));
    for (const _look of [1, 2, 3]) await lookAfter(10_000);
    expect(await seen()).toEqual(before);
    expect(events.filter((event) => event.type === 'unit-changed')).toHaveLength(1);
    expect(events).toContainEqual({
      type: 'trouble',
      doing: 'looking at instance i1',
      detail: 'Error: connect EMFILE 10.0.0.1:6379',
    });
    state.inspect = undefined;
    state.facts = [dead];
    await lookAfter(10_000);
    expect((await seen()).units).toMatchObject([{ status: 'error' }]);
    // The first look that tells of it: none before has counted.
    expect([restarts().length, (await healing())?.restarts.length]).toEqual([0, 0]);
  });

  test('A look at the units tells nothing confidential.', async () => {
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
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(statuses.filter((status) => status === 'started')).toHaveLength(198);
    expect((await store.findSeen('n77'))?.units).toMatchObject([
      { status: 'down', reason: 'it could not be looked at in time' },
    ]);
    expect(hanging).toBe(1);
  });
});
