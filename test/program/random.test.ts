import { newSecret } from '../../src/program/opening/random.ts';

test.each([1, 8, 40, 256])('A secret of length %i has that many letters and digits', (length) => {
  expect(newSecret(length)).toMatch(new RegExp(`^[A-Za-z0-9]{${length}}$`));
});

test('Every letter and digit is about as likely as any other', () => {
  const counts = Map.groupBy(newSecret(62_000), (letter) => letter);
  expect(counts.size).toBe(62);
  // 1000 are expected of each; six standard deviations are 190.
  for (const { length } of counts.values()) expect(Math.abs(length - 1000)).toBeLessThan(200);
});
