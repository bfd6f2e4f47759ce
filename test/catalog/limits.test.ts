import { readLimits } from '../../src/catalog/limits.ts';

const megabyte = 1024 * 1024;

test('Limits are sizes, cores and whole numbers, with what the plan fixes.', () => {
  const file = { memory: '{{plan.memory_mb}}MB', cpu: 0.5, pids: 64, files: '{{plan.files}}', disk: '2GB' };
  expect(readLimits(file, { memory_mb: 64, files: 100 })).toEqual({
    limits: { memory: 64 * megabyte, cpu: 0.5, pids: 64, files: 100, disk: 2048 * megabyte },
    wrong: {},
  });
});

test.each([
  ['memory', '64', {}, 'This must be a size of at least 1MB'],
  ['memory', '1KB', {}, 'This must be a size of at least 1MB'],
  ['disk', '{{plan.size}}', { size: 'much' }, 'This must be a size of at least 1MB'],
  ['cpu', 0, {}, 'This must be a number of cores'],
  ['pids', 1.5, {}, 'This must be a whole number'],
  ['files', '{{params.files}}', {}, 'Only what the plan fixes'],
])('A limit %s of %j is refused by a sentence.', (name, value, settings, reason) => {
  const { limits, wrong } = readLimits({ [name]: value }, settings as Record<string, string>);
  expect(limits).toEqual({});
  expect(wrong[name]).toContain(reason);
});
