import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerEvent } from '../../../src/broker/events.ts';
import { startWorker, type Worker, type WorkerOptions } from '../../../src/program/loops/worker.ts';
import { until } from '../../support/until.ts';

/** A core whose due operations are a list of promises that the test ends. */
function core() {
  const due: Promise<void>[] = [];
  const looks: number[] = [];
  const observed: BrokerEvent[] = [];
  let down = false;
  let running = 0;
  let most = 0;

  async function run(ended: Promise<void>): Promise<void> {
    most = Math.max(most, (running += 1));
    await ended.finally(() => (running -= 1));
  }

  return {
    left: () => due.length,
    add: (ended: Promise<void> = Promise.resolve()) => void due.push(ended),
    looks,
    observed,
    running: () => running,
    most: () => most,
    setDown: (value: boolean) => void (down = value),
    options: {
      concurrency: 3,
      firstPause: 5,
      longestPause: 20,
      observe: (event) => void observed.push(event),
      work: {
        async take() {
          looks.push(Date.now());
          if (down) throw new Error('no database');
          await sleep(1);
          const next = due.shift();
          return next ? { ended: run(next) } : { sleepMs: 60_000 };
        },
      },
    } satisfies WorkerOptions,
  };
}

let worker: Worker | undefined;
afterEach(() => worker?.stop(0));

test('The worker carries as many operations at once as it may, and no more', async () => {
  const { add, options, running, most, looks } = core();
  const ends = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
  for (const { promise } of ends) add(promise);
  worker = startWorker(options);
  await until('three operations run', () => running() === 3);
  const looked = looks.length;
  await sleep(20);
  expect(looks).toHaveLength(looked);
  for (const { resolve } of ends) resolve();
  await until('all operations have ended', () => running() === 0 && looks.length > 8);
  expect(most()).toBe(3);
});

test('With nothing due the worker sleeps until it is woken', async () => {
  const { add, options, looks, most } = core();
  worker = startWorker(options);
  await until('the worker has looked once', () => looks.length === 1);
  await sleep(20);
  expect(looks).toHaveLength(1);
  add();
  worker.wake();
  await until('an operation runs', () => most() === 1);
});

test('A wake-up that comes while the worker looks is not lost', async () => {
  const { options, looks } = core();
  worker = startWorker(options);
  worker.wake();
  await until('the worker has looked twice', () => looks.length === 2);
});

test('The worker looks again when an operation has ended, which may have something due next', async () => {
  const { add, options, looks } = core();
  const { promise, resolve } = Promise.withResolvers<void>();
  add(promise);
  worker = startWorker(options);
  await until('the worker has looked twice', () => looks.length === 2);
  resolve();
  await until('the worker has looked three times', () => looks.length === 3);
});

test('While the database is away the worker tells so and looks with growing pauses, then goes on', async () => {
  const { add, options, looks, observed, setDown, most } = core();
  setDown(true);
  worker = startWorker(options);
  await until('the worker has looked six times', () => looks.length === 6);
  const pauses = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
  expect(pauses[0]).toBeLessThan(pauses[4] ?? 0);
  expect(observed[0]).toEqual({
    type: 'trouble',
    doing: 'looking for due operations',
    detail: 'Error: no database',
  });
  add();
  setDown(false);
  await until('an operation runs', () => most() === 1);
});

test('An operation that fails unexpectedly does not stop the others of the worker', async () => {
  const { add, options, left, running } = core();
  add(Promise.reject(new Error('boom')));
  worker = startWorker(options);
  await until('all operations have ended', () => left() === 0 && running() === 0);
  add();
  add();
  worker.wake();
  await until('the added operations have ended', () => left() === 0 && running() === 0);
});

test('A stop of the worker takes nothing new and waits for what runs', async () => {
  const { add, options, running, looks } = core();
  const { promise, resolve } = Promise.withResolvers<void>();
  add(promise);
  worker = startWorker(options);
  await until('an operation runs', () => running() === 1);
  const stopped = worker.stop(5000);
  add();
  worker.wake();
  await sleep(10);
  const looked = looks.length;
  expect(running()).toBe(1);
  resolve();
  await stopped;
  expect(running()).toBe(0);
  expect(looks).toHaveLength(looked);
});

test('A stop of the worker does not wait longer than it may', async () => {
  const { add, options, running } = core();
  const { promise, resolve } = Promise.withResolvers<void>();
  add(promise);
  worker = startWorker(options);
  await until('an operation runs', () => running() === 1);
  await worker.stop(10);
  expect(running()).toBe(1);
  resolve();
});

test('A stop of the worker does not wait for a database that does not answer', async () => {
  const { options } = core();
  worker = startWorker({ ...options, work: { take: () => new Promise(() => {}) } });
  await worker.stop(5);
});

test('With no workers the loop takes nothing', async () => {
  const { options, looks } = core();
  worker = startWorker({ ...options, concurrency: 0 });
  await sleep(10);
  expect(looks).toHaveLength(0);
});
