import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decideStatus,
  type Situation,
  statusOfUnits,
  symptomOf,
  worstOf,
} from '../../src/broker/units/status.ts';
import { unitStatuses, type UnitFacts, type UnitSeen, type UnitStatus } from '../../src/broker/units.ts';
import { tableAfter } from '../support/page-table.ts';

const runs: Situation = { stopped: false };
const rests: Situation = { stopped: true };

function facts(rest: Partial<UnitFacts> = {}): UnitFacts {
  return { unit: 'redis', alive: true, answer: 'ready', ...rest };
}

const dead = facts({ alive: false, answer: 'unasked' });
const silent = facts({ answer: 'silent' });
const unasked = facts({ answer: 'unasked' });
const wrong = facts({ answer: 'wrong' });

const page = readFileSync(join(import.meta.dirname, '../../docs/lifecycle.md'), 'utf8');
const { rows: statuses } = tableAfter(page, 'statuses');

describe('decideStatus, the table in docs/lifecycle.md, Status of units', () => {
  test.each<[string, Situation, UnitFacts, UnitStatus, RegExp]>([
    [
      '1: its node is silent',
      { ...runs, lost: 'its node n1 is gone' },
      facts(),
      'down',
      /^its node n1 is gone$/,
    ],
    [
      '1: its node is silent, whatever else is the case',
      { lost: 'gone', operation: 'update', stopped: true },
      dead,
      'down',
      /gone/,
    ],
    ['1: its node cannot judge', runs, facts({ fault: 'the disk is full' }), 'down', /^the disk is full$/],
    [
      '1: its node cannot judge while it is updated',
      { ...runs, operation: 'update' },
      facts({ fault: 'the disk is full' }),
      'down',
      /disk/,
    ],
    ['2: it is being made', { ...runs, operation: 'provision' }, dead, 'building', /being made/],
    [
      '2: it is being updated and runs',
      { ...runs, operation: 'update' },
      facts(),
      'building',
      /being updated/,
    ],
    [
      '2: it is being started and does not run yet',
      { ...rests, operation: 'start' },
      dead,
      'building',
      /being started/,
    ],
    [
      '2: it is being restarted and does not answer yet',
      { ...runs, operation: 'restart' },
      silent,
      'building',
      /being started/,
    ],
    [
      '6: it is ready, and another of its units is being restarted',
      { ...runs, operation: 'restart' },
      facts(),
      'started',
      /runs/,
    ],
    [
      '4: it takes more than its plan allows, though it answers',
      runs,
      facts({ exceeds: 'it takes 9 MB' }),
      'error',
      /^it takes 9 MB$/,
    ],
    [
      '4: it has been ended since it takes more than its plan allows',
      runs,
      facts({ ...dead, exceeds: 'it takes 9 MB', reason: 'it has ended' }),
      'error',
      /^it takes 9 MB$/,
    ],
    [
      '6: it is near its limit',
      runs,
      facts({ warning: 'it takes 8 MB' }),
      'started',
      /^it runs and answers; it takes 8 MB$/,
    ],
    ['3: it rests as it shall', rests, dead, 'stopped', /stopped/],
    [
      '4: a limit of its plan has just struck, though it answers',
      runs,
      facts({ limited: 'no more than 12 processes' }),
      'error',
      /^no more than 12 processes$/,
    ],
    [
      '3: it rests as it shall, though it ended badly',
      rests,
      facts({ ...dead, failed: 'it exited with 1' }),
      'stopped',
      /stopped/,
    ],
    ['3: it is being stopped and has ended', { ...runs, operation: 'stop' }, dead, 'stopped', /stopped/],
    [
      '3: it is being removed and has ended',
      { ...runs, operation: 'deprovision' },
      dead,
      'stopped',
      /stopped/,
    ],
    ['4: it does not run though it should', runs, dead, 'error', /does not run/],
    [
      '4: it does not run, and somebody knows why',
      runs,
      facts({ ...dead, reason: 'it exited with 1' }),
      'error',
      /^it exited with 1$/,
    ],
    [
      '4: a probe says that it has failed',
      runs,
      facts({ failed: 'the probe says no' }),
      'error',
      /^the probe says no$/,
    ],
    [
      '4: a probe says that it has failed, while it shall rest',
      rests,
      facts({ failed: 'the probe says no' }),
      'error',
      /probe/,
    ],
    ['4: it answers wrongly', runs, wrong, 'error', /not answer as it should/],
    ['5: it does not answer in time', runs, silent, 'unreachable', /not answer at its address/],
    ['5: a worker without port and rule', runs, unasked, 'unreachable', /nothing that could be asked/],
    ['6: it is ready', runs, facts(), 'started', /runs and answers/],
    [
      '6: a worker whose command says that it is ready',
      runs,
      facts({ reason: 'its command says so' }),
      'started',
      /^its command says so$/,
    ],
    ['6: it still runs though it shall rest', rests, facts(), 'started', /runs/],
  ])('The table of the status of units, row %s.', (title, situation, unit, status, reason) => {
    expect(decideStatus(situation, unit)).toEqual({ status, reason: expect.stringMatching(reason) });
    expect(statuses.find(([row]) => title.startsWith(`${row}:`))?.at(-1)).toBe(status);
  });

  test('The table has a row for each status.', () => {
    expect(new Set(statuses.map((row) => row.at(-1)))).toEqual(new Set(unitStatuses));
  });

  test('Whatever is the case, there is a status, and it has a reason.', () => {
    const answers = ['ready', 'wrong', 'silent', 'unasked'] as const;
    const operations = ['provision', 'update', 'deprovision', 'start', 'stop', 'restart', undefined] as const;
    const clauses = ['a clause', undefined];
    for (const answer of answers)
      for (const alive of [true, false])
        for (const stopped of [true, false])
          for (const operation of operations)
            for (const failed of clauses)
              for (const fault of clauses) {
                const said = decideStatus(
                  { stopped, ...(operation ? { operation } : {}) },
                  facts({ answer, alive, ...(failed ? { failed } : {}), ...(fault ? { fault } : {}) }),
                );
                expect(unitStatuses).toContain(said.status);
                expect(said.reason).toMatch(/^[a-z].*[^.]$/);
              }
  });
});

describe('symptomOf', () => {
  const told = (word: string): Situation => ({ ...runs, operation: word as never });
  test.each<[string, Situation, UnitFacts, string | undefined]>([
    ['has no process', runs, dead, 'dead'],
    ['has no process, and its monitor hook says no', runs, { ...dead, failed: 'no' }, 'dead'],
    ['lives and answers wrongly', runs, wrong, 'wrong-answer'],
    ['lives and does not answer', runs, silent, 'no-answer'],
    ['lives, and its monitor hook says no', runs, facts({ failed: 'no' }), 'monitor-failed'],
    ['lives and cannot be asked', runs, unasked, undefined],
    ['is ready', runs, facts(), undefined],
    ['is at rest', rests, dead, undefined],
    ['shall be at rest and lives', rests, wrong, undefined],
    ['is being restarted', told('restart'), dead, undefined],
    ['is being updated', told('update'), dead, undefined],
    ['is of a node that is silent', { ...runs, lost: 'gone' }, dead, undefined],
    ['is of a disk that is gone', runs, { ...dead, fault: 'gone' }, undefined],
  ])('Of a unit that %s.', (_title, situation, unit, symptom) => {
    expect(symptomOf(situation, unit)).toBe(symptom);
  });
});

describe('worstOf', () => {
  test('P14: Of any mix it is the worst: down, error, building, unreachable, stopped, started.', () => {
    expect(unitStatuses).toEqual(['down', 'error', 'building', 'unreachable', 'stopped', 'started']);
    for (let mix = 1; mix < 2 ** unitStatuses.length; mix += 1) {
      const statuses = unitStatuses.filter((_status, place) => mix & (1 << place));
      expect(worstOf(statuses)).toBe(statuses[0]);
      expect(worstOf(statuses.toReversed())).toBe(statuses[0]);
    }
  });

  test('The worst status of no unit at all is that nothing can be reached.', () => {
    expect(worstOf([])).toBe('unreachable');
  });
});

describe('statusOfUnits', () => {
  const seen = (unit: string, status: UnitStatus, address?: string): UnitSeen => ({
    unit,
    status,
    reason: `${unit} is ${status}`,
    since: '2026-01-01T00:00:00.000Z',
    ...(address === undefined ? {} : { address }),
  });

  test('The only unit gives the instance its reason.', () => {
    expect(statusOfUnits([seen('redis', 'error')])).toMatchObject({
      status: 'error',
      reason: 'redis is error',
    });
  });

  test('Of several units that are all alike none is named.', () => {
    const all = ['a', 'b'].map((unit) => ({ ...seen(unit, 'started'), reason: 'it runs and answers' }));
    expect(statusOfUnits(all).reason).toBe('all 2 units: it runs and answers');
  });

  test('Of several units the worst gives the reason, with its name; all are listed, with their addresses.', () => {
    const rabbit = { ...seen('rabbit', 'error'), healing: { restarts: [], leftAlone: true } };
    const units = [seen('epmd', 'started', 'h:1'), rabbit, seen('web', 'started', 'h:2')];
    const status = statusOfUnits(units);
    expect(status).toEqual({
      status: 'error',
      reason: 'rabbit: rabbit is error',
      units,
      addresses: ['h:1', 'h:2'],
      leftAlone: true,
    });
  });
});
