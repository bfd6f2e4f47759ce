import { presentTraceId } from './tracing.ts';

/** Undefined values are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;

export interface Line {
  readonly time: Date;
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Of what happens now, with the trace that it is a part of. */
export function lineNow({ fields, ...rest }: Omit<Line, 'time'>): Line {
  return { time: new Date(), ...rest, fields: { ...fields, traceId: presentTraceId() } };
}

/** One JSON object; time, level and message cannot be overwritten by a field. */
export function jsonLine({ time, level, message, fields }: Line): string {
  const head = { time: time.toISOString(), level, message };
  return plain(JSON.stringify({ ...head, ...fields, ...head }));
}

/**
 * For people: `2026-01-31T12:00:00.000Z info  message key=value`.
 * @param width columns of the terminal that it is for: what does not fit goes on in the next line, indented; only a
 * word that is longer itself sticks out. Absent: one line.
 */
export function textLine({ time, level, message, fields }: Line, width?: number): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const words = pairs.map(([key, value]) => plain(`${key}=${shown(value)}`));
  const head = plain(`${time.toISOString()} ${level.padEnd(5)} ${message}`);
  return width === undefined ? [head, ...words].join(' ') : filled(head, words, width);
}

// A new line of the log begins with its time, at the margin.
const indent = '    ';
const deeper = `${indent}    `;

/** Pairs are kept whole where they can be. Control characters, and with them ends of lines, are gone already. */
function filled(head: string, pairs: readonly string[], width: number): string {
  const lines = [...broken(head, '', width)];
  for (const pair of pairs) {
    const last = lines.at(-1) ?? '';
    if (last.length + 1 + pair.length <= width) lines[lines.length - 1] = `${last} ${pair}`;
    else lines.push(...broken(pair, indent, width));
  }
  return lines.join('\n');
}

/** Breaks at blanks, each of which an end of line stands for. */
function broken(text: string, margin: string, width: number): readonly string[] {
  const [first = '', ...words] = text.split(' ');
  const lines: string[] = [];
  let line = margin + first;
  for (const word of words) {
    if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = deeper + word;
    }
  }
  return [...lines, line];
}

function shown(value: LogFields[string]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && !/^[^\s"=\\]+$/.test(text) ? JSON.stringify(text) : text;
}

// Control characters, separators of lines and paragraphs, marks that turn the writing direction.
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;

/** A value from outside can neither forge a line nor move the cursor of a terminal. */
function plain(text: string): string {
  return text.replace(unprintable, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
