import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.cjs' },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/hold-operator-answers.ts'],
  // For what hangs: a machine that others use too may be many times slower than usual.
  testTimeout: 300_000,
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  // More than half of a test file's time is waiting: for a program to start, a lease to end, a poll. So there are more of
  // them at once than processors, and no more than the database of the run has connections for.
  maxWorkers: Math.min(Math.ceil(availableParallelism() * 2.5), 16),
  // A worker whose work is done gives back its memory, which takes longer than jest waits by itself. One that something
  // holds is told of all the same.
  workerGracefulExitTimeout: 10_000,
};
