import { expect, test } from '@jest/globals';
import { Failure } from '../../src/broker/errors.ts';
import type { Json } from '../../src/broker/json.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { keptIn, type NamedSteps, runSequence, TryLater } from '../../src/node/step-sequence.ts';

const busy = new Failure('not-now', 'It is busy. Try again later.');

/** Notes what runs, and with what. */
function sequence(again?: TryLater) {
  const ran: unknown[] = [];
  const steps: NamedSteps = {
    async first({ kept, tries }) {
      ran.push(['first', kept, tries]);
      return { to: 'decide', did: 'first', keep: { ports: { main: 7 } } };
    },
    async decide({ kept, tries }) {
      ran.push(['decide', kept, tries]);
      return { to: 'last' };
    },
    async last({ kept, tries }) {
      ran.push(['last', kept, tries]);
      if (again) throw again;
      return { to: 'end', did: 'last' };
    },
  };
  const run = (memo?: Json) =>
    runSequence(
      steps,
      'first',
      { memo, signal: new AbortController().signal } as unknown as Work,
      (kept) => kept,
    );
  return { ran, run };
}

test('A sequence stops after each step that did something, and its memo leads to the next.', async () => {
  const { ran, run } = sequence();
  const memo = { at: 'decide', tries: 1, kept: { ports: { main: 7 } } };
  expect(await run()).toEqual({ again: { afterMs: 0, memo }, did: { step: 'first', tries: 1 } });
  expect(await run(memo)).toEqual({ done: memo.kept, did: { step: 'last', tries: 1 } });
  expect(ran).toEqual([
    ['first', {}, 1],
    ['decide', memo.kept, 1],
    ['last', memo.kept, 1],
  ]);
});

test('A step that asks for it is tried again after 1, 2 and 4 s, then it has failed.', async () => {
  const { run } = sequence(new TryLater(busy, { note: 'Again.' }));
  for (const [tries, afterMs] of [1000, 2000, 4000].entries()) {
    const step = await run({ at: 'last', tries: tries + 1, kept: {} });
    expect(step).toEqual({
      again: { afterMs, memo: { at: 'last', tries: tries + 2, kept: {} }, note: 'Again.' },
    });
  }
  await expect(run({ at: 'last', tries: 4, kept: {} })).rejects.toBe(busy);
});

test('A step with a pause of its own is tried again for as long as it asks, and may remember something.', async () => {
  const { run } = sequence(new TryLater(busy, { afterMs: 50, keep: { since: 5 } }));
  const memo = { at: 'last', tries: 10, kept: { since: 5 } };
  expect(await run({ at: 'last', tries: 9, kept: {} })).toEqual({ again: { afterMs: 50, memo } });
});

test.each([
  ['process', { at: 'last', tries: 3, kept: { ports: { main: 7 }, outputs: { init: { id: 1 } } } }],
  ['command', { act: 'last', attempt: 3, told: { ports: { main: 7 }, outputs: { init: { id: 1 } } } }],
])('A memo that broker 0.1.0 wrote for the provisioner %s is taken up where it was.', async (_name, memo) => {
  const { ran, run } = sequence();
  const kept = { ports: { main: 7 }, outputs: { init: { id: 1 } } };
  expect(keptIn(memo)).toEqual(kept);
  expect(await run(memo)).toEqual({ done: kept, did: { step: 'last', tries: 3 } });
  expect(ran).toEqual([['last', kept, 3]]);
});

test('A memo of broker 0.1.0 for something that is coming up still says since when.', () => {
  expect(keptIn({ act: 'check_up', attempt: 4, told: {}, since: 1234 })).toEqual({ since: 1234 });
});

test.each([
  ['that names no step', { at: 'gone', tries: 3, kept: { failure: {}, outputs: { init: { id: 1 } } } }],
  ['of broker 0.1.0 that names no step', { act: 'gone', attempt: 3, told: { outputs: { init: { id: 1 } } } }],
])('A memo %s begins anew, with the outputs of hooks.', async (_what, memo) => {
  const { ran, run } = sequence();
  await run(memo);
  expect(ran).toEqual([['first', { outputs: { init: { id: 1 } } }, 1]]);
});

test('A sequence without steps is done at once.', async () => {
  const work = { signal: new AbortController().signal } as unknown as Work;
  expect(await runSequence({}, 'end', work, () => 'done')).toEqual({ done: 'done' });
});
