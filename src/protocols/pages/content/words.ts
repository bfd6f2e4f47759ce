import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { UnitStatus } from '../../../broker/units.ts';
import type { Cell, Piece, Tone } from './parts.ts';

export function text(said: string | number | undefined, more: Omit<Piece, 'text'> = {}): Piece | undefined {
  return said === undefined || said === '' ? undefined : { text: String(said), ...more };
}

export function soft(said: string | number | undefined): Piece | undefined {
  return text(said, { soft: true });
}

export function code(said: string | undefined, href?: string): Piece | undefined {
  return text(said, { code: true, href });
}

export function cell(...pieces: Cell): Cell {
  return pieces.filter((piece) => piece !== undefined);
}

/** On a clock that is the same for all who look. */
export function moment(iso: string | undefined): Piece | undefined {
  return text(iso && `${iso.slice(0, 10)} ${iso.slice(11, 19)}`, { time: iso });
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** The two largest units: `2 d 3 h`, `4 min 10 s`, `3.1 s`, `12 ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const [unit, length] = units.find(([, one]) => ms >= one) ?? units[2];
  const rest = ms % length;
  const [below, part] = { d: ['h', 3_600_000], h: ['min', 60_000], min: ['s', 1000] }[unit] as [
    string,
    number,
  ];
  const more = Math.floor(rest / part);
  return `${Math.floor(ms / length)} ${unit}${more === 0 ? '' : ` ${more} ${below}`}`;
}

export function between(from: string, to: string | undefined): string | undefined {
  return to === undefined ? undefined : duration(Math.max(0, Date.parse(to) - Date.parse(from)));
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

export function amountOf(n: number): string {
  return n.toLocaleString('en', { maximumFractionDigits: 2 });
}

const tones: Readonly<Record<string, Tone>> = {
  started: 'good',
  ready: 'good',
  succeeded: 'good',
  bound: 'good',
  signs: 'good',
  up: 'good',
  'on sale': 'good',
  error: 'bad',
  failed: 'bad',
  down: 'bad',
  lost: 'bad',
  refused: 'warn',
  hidden: 'warn',
  unreachable: 'warn',
  expired: 'warn',
  draining: 'warn',
  paused: 'warn',
  cancelling: 'warn',
  skipped: 'quiet',
  cancelled: 'quiet',
  drifted: 'warn',
  stopped: 'quiet',
  building: 'busy',
};

export function toneOf(word: string): Tone {
  return tones[word] ?? 'busy';
}

/** A status or state: its word, and the colour of it. */
export function badge(word: string | undefined, href?: string): Piece | undefined {
  return word === undefined ? undefined : { text: word, tone: toneOf(word), href };
}

/** What needs somebody to look, worst first. */
export const alarming = ['error', 'down', 'unreachable'] as const satisfies readonly UnitStatus[];

/** As somebody has sent it: on one line, and no longer than people read. */
export function shown(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  return written.length > 400 ? `${written.slice(0, 400)}…` : written;
}

/** `offering web, plan small`: what there is of it, without what is empty. */
export function listed(value: JsonObject | undefined): string | undefined {
  const said = Object.entries(value ?? {}).filter(([, one]) => !isEmpty(one));
  return said.length === 0
    ? undefined
    : shown(
        said.map(([name, one]) => `${name} ${Array.isArray(one) ? one.join(' ') : shown(one)}`).join(', '),
      );
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Whom a platform names as who asked: as people know them, where it says so. */
export function person(identity: Json | undefined): string | undefined {
  if (!isObject(identity)) return shown(identity);
  const { value } = identity;
  const named = isObject(value) ? value : {};
  const names = ['user_name', 'username', 'email', 'user_id', 'uid'].map((name) => named[name]);
  const name = names.find((one) => typeof one === 'string' && one !== '');
  return shown(name ?? identity);
}
