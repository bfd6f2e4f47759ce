/** Undefined values are left out. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;

export interface Line {
  readonly time: Date;
  readonly level: string;
  readonly message: string;
  readonly fields: Fields;
}

/** One JSON object; time, level and message cannot be overwritten by a field. */
export function jsonLine({ time, level, message, fields }: Line): string {
  const head = { time: time.toISOString(), level, message };
  return plain(JSON.stringify({ ...head, ...fields, ...head }));
}

/** For people: `12:00:00.000 info  message  key=value`. */
export function textLine({ time, level, message, fields }: Line): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const words = pairs.map(([key, value]) => `${key}=${shown(value)}`);
  return plain([time.toISOString(), level.padEnd(5), message, ...words].join(' '));
}

function shown(value: Fields[string]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && !/^[^\s"=\\]+$/.test(text) ? JSON.stringify(text) : text;
}

// Control characters, separators of lines and paragraphs, marks that turn the writing direction.
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;

/** A value from outside can neither forge a line nor move the cursor of a terminal. */
function plain(text: string): string {
  return text.replace(unprintable, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
