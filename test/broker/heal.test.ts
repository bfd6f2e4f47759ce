import { decideRestart, type RestartSituation, sayLeftAlone } from '../../src/broker/units/restart-policy.ts';
import { restartCauses, type Symptom, type UnitSeen, type UnitStatus } from '../../src/broker/units.ts';

/** What the monitor does about a unit, and what it leaves alone. */

describe('decideRemedy', () => {
  const start = new Date('2026-01-01T00:00:00Z');
  const at = (seconds: number) => new Date(start.getTime() + seconds * 1000);
  const unit = (status: UnitStatus, symptom?: Symptom): UnitSeen => ({
    unit: 'redis',
    status,
    reason: 'so it is',
    since: start.toISOString(),
    ...(symptom ? { symptom } : {}),
  });
  const monitor = { every: 10_000, restart: 3, within: 600_000 };
  const patient = (rest: Partial<RestartSituation> = {}): RestartSituation => ({
    monitor,
    unit: unit('error', 'dead'),
    untouchable: false,
    tended: false,
    unyielding: false,
    now: start,
    ...rest,
  });
  const failedAt = start.toISOString();
  const restarted = (...seconds: number[]) => seconds.map((second) => at(second).toISOString());

  test.each([
    ['first', [], 1],
    ['second', [-30], 4],
    ['third', [-60, -30], 16],
  ])('The %s restart comes after its pause.', (_which, earlier, pause) => {
    const restarts = restarted(...earlier);
    const began = earlier.length > 0 ? { healing: { restarts, leftAlone: false } } : {};
    const waits = decideRestart(patient(began));
    const healing = { restarts, failedAt, leftAlone: false };
    expect(waits).toEqual({ healing, dueMs: pause * 1000 });
    const goes = decideRestart(patient({ healing, now: at(pause) }));
    expect(goes).toMatchObject({
      healing: { restarts: [...restarts, at(pause).toISOString()], leftAlone: false },
      restart: 'start',
      postponed: healing,
    });
  });

  test('A fourth failure within ten minutes is left alone; later ones are new.', () => {
    const healing = { restarts: restarted(-90, -60, -30), leftAlone: false };
    expect(decideRestart(patient({ healing }))).toEqual({
      healing: { ...healing, failedAt, leftAlone: true },
    });
    expect(decideRestart(patient({ healing, now: at(580) }))).toMatchObject({
      healing: { restarts: [], leftAlone: false },
      dueMs: 1000,
    });
  });

  test('What is left alone stays so, however long, until it runs or somebody has tended to it.', () => {
    const healing = { restarts: restarted(-90, -60, -30), failedAt, leftAlone: true };
    const later = at(86_400);
    expect(decideRestart(patient({ healing, now: later })).healing).toEqual(healing);
    expect(
      decideRestart(patient({ healing, now: later, unit: unit('unreachable', 'no-answer') })).healing,
    ).toEqual(healing);
    expect(decideRestart(patient({ healing, now: later, unit: unit('started') }))).toEqual({});
    expect(decideRestart(patient({ healing, now: later, tended: true }))).toEqual({
      healing: { restarts: [], failedAt: later.toISOString(), leftAlone: false },
      dueMs: 1000,
    });
  });

  test.each<[string, Partial<RestartSituation>]>([
    ['is stopped, or cannot be restarted', { untouchable: true }],
    ['is of a plan that says never', { monitor: { every: 1, restart: 0, within: 600_000 } }],
    ['lives and answers wrongly', { unit: unit('error', 'wrong-answer') }],
    ['lives and does not answer', { unit: unit('unreachable', 'no-answer') }],
    ['lives, though its monitor hook says no', { unit: unit('error', 'monitor-failed') }],
    ['is down', { unit: unit('down') }],
    ['is being built', { unit: unit('building') }],
  ])('Nothing is done about what %s.', (_title, rest) => {
    for (const seconds of [0, 60, 3600])
      expect(decideRestart(patient({ ...rest, now: at(seconds) }))).toEqual({});
  });

  describe.each(restartCauses)('An offering that wants to be restarted on %s', (cause) => {
    const asking = { ...monitor, restartOn: [cause] };
    const healing = { restarts: [], failedAt, leftAlone: false };

    test('What is to be restarted is asked to end and started again when it lives, and only started when it is dead.', () => {
      const lives = patient({ monitor: asking, unit: unit('error', cause), healing, now: at(1) });
      expect(decideRestart(lives)).toMatchObject({ restart: 'end', healing: { restarts: restarted(1) } });
      const dead = patient({ monitor: asking, healing, now: at(1) });
      expect(decideRestart(dead)).toMatchObject({ restart: 'start' });
    });

    test('What is to be restarted is not restarted for anything else.', () => {
      for (const other of restartCauses.filter((one) => one !== cause))
        expect(
          decideRestart(patient({ monitor: asking, unit: unit('error', other), healing, now: at(1) })),
        ).toEqual({});
    });

    test('What is to be restarted is not asked again when it has not ended, until it is well, dead, or tended to.', () => {
      const lives = unit('error', cause);
      const restarts = restarted(0);
      const counted = { restarts, leftAlone: false };
      const asked = { monitor: asking, unit: lives, now: at(60) };
      const left = decideRestart(patient({ ...asked, healing: counted, unyielding: true, latest: 'op' }));
      const { healing: remembered = counted } = left;
      expect(left).toEqual({ healing: { ...counted, unyielding: true, after: 'op' } });
      const later = { ...asked, healing: remembered, now: at(300) };
      expect(decideRestart(patient(later))).toEqual(left);
      expect(decideRestart(patient({ ...later, tended: true }))).toMatchObject({ dueMs: 1000 });
      expect(decideRestart(patient({ ...later, unit: unit('started') }))).toEqual({});
      expect(decideRestart(patient({ ...later, unit: unit('error', 'dead') }))).toMatchObject({
        healing: { restarts, leftAlone: false },
        dueMs: 4000,
      });
    });
  });

  test.each([
    [1, 60_000, 'it was restarted once within 1 minute and is left alone'],
    [3, 600_000, 'it was restarted 3 times within 10 minutes and is left alone'],
    [2, 90_000, 'it was restarted 2 times within 90 seconds and is left alone'],
  ])('The reason says that it is left alone, after %i restarts.', (times, within, said) => {
    const healing = { restarts: restarted(...Array.from({ length: times }, () => 0)), leftAlone: true };
    const units = [unit('error', 'dead'), unit('started')].map((one) =>
      sayLeftAlone({ ...one, healing }, { ...monitor, within }),
    );
    expect(units.map(({ reason }) => reason)).toEqual([`so it is; ${said}`, 'so it is']);
  });

  test('The reason says that it does not end.', () => {
    const healing = { restarts: restarted(0), leftAlone: false, unyielding: true };
    expect(sayLeftAlone({ ...unit('unreachable', 'no-answer'), healing }, monitor).reason).toBe(
      'so it is; it was asked to end, did not in time, and is left as it is',
    );
  });
});
