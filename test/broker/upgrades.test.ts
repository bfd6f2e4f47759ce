import { decideUpgrades, type UpgradeRun } from '../../src/broker/offices/upgrades.ts';

const none = { waiting: 0, started: 0, succeeded: 0, failed: 0, skipped: 0 };
const run: UpgradeRun = {
  id: 'r',
  state: 'running',
  filter: {},
  canaries: 0,
  atOnce: 3,
  stopAfter: 2,
  watchMs: 0,
  approval: false,
  passed: false,
  forgiven: 0,
  counts: none,
  canaryCounts: { waiting: 0, started: 0 },
  origin: { protocol: 'operator' },
  createdAt: new Date(0),
};
const all = (begin: number) => ({ begin, onlyCanaries: false });
const canaries = (begin: number) => ({ begin, onlyCanaries: true });

test.each<[what: string, part: Partial<UpgradeRun>, counts: Partial<UpgradeRun['counts']>, next: object]>([
  ['of nothing has succeeded', {}, {}, { end: 'succeeded' }],
  [
    'that is done has succeeded, also where some are gone',
    {},
    { succeeded: 2, skipped: 1 },
    { end: 'succeeded' },
  ],
  ['of which one has failed ends as failed', {}, { succeeded: 2, failed: 1 }, { end: 'failed' }],
  ['begins as many as may be at once', {}, { waiting: 5 }, all(3)],
  ['begins no more than are left', {}, { waiting: 1, started: 1 }, all(1)],
  ['begins none beside as many as may be', {}, { waiting: 5, started: 3 }, all(0)],
  ['begins none beside more than may be', { atOnce: 1 }, { waiting: 5, started: 3 }, all(0)],
  ['goes on below its limit of failures', {}, { waiting: 5, failed: 1 }, all(3)],
  [
    'pauses at its limit of failures',
    {},
    { waiting: 5, failed: 2 },
    { pause: expect.stringMatching(/^2 upgrades have/) as string },
  ],
  ['counts failures from where it was resumed', { forgiven: 2 }, { waiting: 5, failed: 3 }, all(3)],
  ['that is paused begins none', { state: 'paused' }, { waiting: 5 }, all(0)],
  ['that is paused ends when nothing is left', { state: 'paused' }, { succeeded: 5 }, { end: 'succeeded' }],
  ['that is cancelled waits for what has begun', { state: 'cancelling' }, { started: 1, skipped: 4 }, all(0)],
  [
    'that is cancelled ends then',
    { state: 'cancelling' },
    { succeeded: 1, skipped: 4 },
    { end: 'cancelled' },
  ],
  [
    'that is cancelled ends also where one was busy',
    { state: 'cancelling' },
    { waiting: 1 },
    { end: 'cancelled' },
  ],
  [
    'with canaries begins these alone',
    { canaries: 2, canaryCounts: { waiting: 2, started: 0 } },
    { waiting: 5 },
    canaries(2),
  ],
  [
    'with canaries begins no more while these go on',
    { canaries: 2, canaryCounts: { waiting: 0, started: 1 } },
    { waiting: 3, started: 1, succeeded: 1 },
    canaries(0),
  ],
  [
    'with canaries looks at these when they have ended',
    { canaries: 2 },
    { waiting: 3, succeeded: 2 },
    { look: true },
  ],
  [
    'with canaries waits for approval where it is asked for',
    { canaries: 2, approval: true },
    { waiting: 3, succeeded: 2 },
    { pause: expect.stringMatching(/^The canaries are done/) as string },
  ],
  [
    'pauses when a canary has failed',
    { canaries: 2, canaryCounts: { waiting: 1, started: 0 } },
    { waiting: 4, failed: 1 },
    { pause: expect.stringMatching(/^An upgrade has/) as string },
  ],
  [
    'goes on when its canaries have passed',
    { canaries: 2, passed: true },
    { waiting: 3, succeeded: 2 },
    all(3),
  ],
  ['of canaries alone is done with them', { canaries: 2 }, { succeeded: 2 }, { end: 'succeeded' }],
])('A run of upgrades %s', (_what, part, counts, next) => {
  expect(decideUpgrades({ ...run, ...part, counts: { ...none, ...counts } })).toEqual(next);
});
