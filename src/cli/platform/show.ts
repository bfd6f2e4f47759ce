import type { Json, JsonObject } from '../../broker/json.ts';
import { printable } from '../table.ts';

/** A JSON object for people: a line for each member, what is within others as JSON. */
export function membersOf(object: JsonObject): string {
  const width = Math.max(0, ...Object.keys(object).map((name) => name.length));
  return Object.entries(object)
    .map(([name, value]) => `${name.padEnd(width)}  ${textOf(value)}`)
    .join('\n');
}

/** Says on a terminal what is waited for, each time on a line of its own; in a pipe nothing. */
export function tellProgress(sentence: string): void {
  if (process.stderr.isTTY) console.error(printable(sentence));
}

function textOf(value: Json): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
