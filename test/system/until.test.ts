import { until } from '../../src/system/until.ts';

const often = { first: 1, longest: 2 };

test('Until there is something it is looked for, and that is given.', async () => {
  let looks = 0;
  expect(await until(() => (looks += 1) > 3 && 'found', often)).toBe('found');
  expect(await until(async () => 0, often)).toBe(0);
  expect(looks).toBe(4);
});

test('What is not there in time is not found, and the last look is at the end.', async () => {
  let looks = 0;
  const began = performance.now();
  function look() {
    looks += 1;
    return undefined;
  }
  expect(await until(look, { first: 10_000, longest: 10_000, limit: 20 })).toBeUndefined();
  // A timer may be early by a fraction of a millisecond.
  expect(looks).toBeGreaterThan(1);
  expect(looks).toBeLessThan(5);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('The pauses grow by the factor, up to the longest.', async () => {
  const at: number[] = [];
  await until(() => at.push(performance.now()) === 5, { first: 10, longest: 40, factor: 3 });
  const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  for (const [index, least] of [10, 30, 40, 40].entries())
    expect(pauses[index]).toBeGreaterThanOrEqual(least - 2);
});

test('A signal ends the waiting.', async () => {
  const control = new AbortController();
  const waiting = until(() => undefined, { first: 10_000, longest: 10_000, signal: control.signal });
  control.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
