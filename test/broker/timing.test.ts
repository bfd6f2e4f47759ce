import { backoff, endsWithin, underLimit, withinTime } from '../../src/broker/timing.ts';

const never = new Promise<never>(() => undefined);

test('What is waited for within a time is there, or is not.', async () => {
  expect(await withinTime(Promise.resolve('made'), 1000)).toBe('made');
  expect(await withinTime(never, 5)).toBeUndefined();
  expect(await withinTime(undefined, 5)).toBeUndefined();
  await expect(withinTime(Promise.reject(new Error('broken')), 1000)).rejects.toThrow('broken');
});

test('Work ends within a time, whatever it gives, or does not.', async () => {
  expect(await endsWithin(1000, Promise.resolve(undefined))).toBe(true);
  expect(await endsWithin(-1, never)).toBe(false);
  await expect(endsWithin(1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('Work under a limit is told when its time is over, and not waited for.', async () => {
  expect(await underLimit(1000, async () => undefined)).toBeUndefined();
  let told: AbortSignal | undefined;
  const late = underLimit(5, (signal) => {
    told = signal;
    return never;
  });
  await expect(late).rejects.toMatchObject({ name: 'TimeoutError', message: 'It did not end within 5 ms' });
  expect(told?.reason).toMatchObject({ name: 'TimeoutError' });
});

test('Pauses are doubled up to the longest, however many tries there were.', () => {
  const pauses = { first: 100, longest: 500 };
  expect([1, 2, 3, 4, 5000].map((tries) => backoff(tries, pauses))).toEqual([100, 200, 400, 500, 500]);
});
