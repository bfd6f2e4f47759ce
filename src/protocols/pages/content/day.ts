import type { ListedOperationAnswer } from '../../operator/wire/operations.ts';
import type { Ask } from '../ask.ts';
import type { Chart, Table, Tone } from './parts.ts';
import { cell, count, duration, text } from './words.ts';

/** What brokers have done lately. */
export interface Day {
  readonly operations: readonly ListedOperationAnswer[];
  /** When it was looked, and since when all that was done is among them. */
  readonly now: number;
  readonly since: number;
}

const wholeDay = 24 * 3_600_000;
/** Operations that are looked at for one picture, and how many are read at once. */
const [mostLookedAt, pageLength] = [5000, 1000];

export async function readDay(ask: Ask, now: number): Promise<Day> {
  const operations: ListedOperationAnswer[] = [];
  let after: string | undefined;
  do {
    const page = await ask('operations', {
      query: { younger_than: '24h', limit: String(pageLength), after },
    });
    operations.push(...page.operations);
    after = page.next;
  } while (after !== undefined && operations.length < mostLookedAt);
  const oldest = operations.at(-1);
  return { operations, now, since: after && oldest ? Date.parse(oldest.created_at) : now - wholeDay };
}

/** A quarter of an hour each. */
const bars = 96;
const barMs = wholeDay / bars;
const [barWidth, barGap, height] = [8, 2, 100];
const width = bars * (barWidth + barGap);
const axis = ['24 h ago', '18 h', '12 h', '6 h', 'now'];

/** The operations of each bar, the oldest first. */
function barsOf({ operations, now }: Day): readonly (readonly ListedOperationAnswer[])[] {
  const all = Array.from({ length: bars }, (): ListedOperationAnswer[] => []);
  for (const one of operations) {
    const ago = Math.floor((now - Date.parse(one.created_at)) / barMs);
    all[bars - 1 - Math.min(bars - 1, Math.max(0, ago))]?.push(one);
  }
  return all;
}

const parts = [
  ['succeeded', 'good'],
  ['in progress', 'busy'],
  ['failed', 'bad'],
] as const satisfies readonly (readonly [string, Tone])[];

export function rateChart(day: Day): Chart {
  const each = barsOf(day);
  const most = Math.max(1, ...each.map(({ length }) => length));
  const drawn = each.flatMap((operations, at) => {
    let top = height;
    return parts.map(([state, tone]) => {
      const size = (height * operations.filter((one) => one.state === state).length) / most;
      top -= size;
      return { x: at * (barWidth + barGap), y: top, width: barWidth, height: size, tone };
    });
  });
  const failed = day.operations.filter(({ state }) => state === 'failed').length;
  const total = day.operations.length;
  return {
    is: 'chart',
    title: 'Operations per minute',
    says: `${count(total, 'operation')}, of which ${failed === 0 ? 'none has' : `${failed} ${failed === 1 ? 'has' : 'have'}`} failed.${partly(day)}`,
    width,
    height,
    bars: drawn.filter((bar) => bar.height > 0),
    most: `${perMinute(most)} / min`,
    axis,
    legend: parts.map(([state, tone]) => ({ text: state, tone })),
  };
}

function perMinute(inBar: number): string {
  return (inBar / (barMs / 60_000)).toLocaleString('en', { maximumSignificantDigits: 2 });
}

function partly({ since, now }: Day): string {
  if (now - since >= wholeDay) return '';
  return ` Only the last ${mostLookedAt.toLocaleString('en')} or so are shown, of ${duration(now - since)}.`;
}

export function durationChart(day: Day): Chart {
  const each = barsOf(day).map((operations) => spreadOf(operations));
  const most = Math.max(1, ...each.map((spread) => spread?.slow ?? 0));
  const drawn = each.flatMap((spread, at) => {
    if (!spread) return [];
    const bar = (ms: number, tone: Tone) => {
      const size = Math.max(1, (height * ms) / most);
      return { x: at * (barWidth + barGap), y: height - size, width: barWidth, height: size, tone };
    };
    return [bar(spread.slow, 'quiet'), bar(spread.middle, 'good')];
  });
  const all = spreadOf(day.operations);
  return {
    is: 'chart',
    title: 'How long they took',
    says: all
      ? `Half of them took ${duration(all.middle)} or less, 19 of 20 took ${duration(all.slow)} or less.`
      : 'None has ended.',
    width,
    height,
    bars: drawn,
    most: duration(most),
    axis,
    legend: [
      { tone: 'good', text: 'half of them' },
      { tone: 'quiet', text: '19 of 20' },
    ],
  };
}

/** Milliseconds that half of those which ended took at most, and 19 of 20; undefined when none has ended. */
function spreadOf(
  operations: readonly ListedOperationAnswer[],
): { readonly middle: number; readonly slow: number } | undefined {
  const took = operations
    .flatMap(({ created_at: from, finished_at: to }) => (to ? [Date.parse(to) - Date.parse(from)] : []))
    .toSorted((a, b) => a - b);
  const rank = (share: number) => took[Math.max(0, Math.ceil(took.length * share) - 1)];
  const [middle, slow] = [rank(0.5), rank(0.95)];
  return middle === undefined || slow === undefined ? undefined : { middle, slow };
}

/** The same in numbers. */
export function kindTable(day: Day): Table {
  const kinds = Map.groupBy(day.operations, ({ kind }) => kind);
  const columns = [
    { name: 'Kind' },
    { name: 'All', number: true },
    { name: 'Failed', number: true },
    { name: 'In progress', number: true },
    { name: 'Half took at most', number: true },
    { name: '19 of 20', number: true },
  ];
  const rows = [...kinds]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([kind, own]) => {
      const spread = spreadOf(own);
      const inState = (state: string) => own.filter((one) => one.state === state).length;
      const failed = inState('failed');
      return [
        cell(text(kind)),
        cell(text(own.length)),
        cell(text(failed, failed > 0 ? { tone: 'bad' } : {})),
        cell(text(inState('in progress'))),
        cell(text(spread && duration(spread.middle))),
        cell(text(spread && duration(spread.slow))),
      ];
    });
  return {
    is: 'table',
    label: 'Operations of the last day by kind',
    columns,
    rows,
    empty: 'None in the last day.',
  };
}
