import { isExact } from '../broker/json.ts';
import { BadCall } from '../protocols/protocol.ts';

const deepest = 100;
// Drops a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads JSON strictly. JSON.parse lets the last of two equal names win, rounds numbers and makes members that
 * poison careless code; all of this would be stored, so it is refused with BadCall 400 that names the place.
 */
export function parseJsonText(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const value = parse(text);
  requireStrict(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BadCall(400, 'The request body is not valid UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the body.
    throw new BadCall(400, 'The request body is not valid JSON.');
  }
}

/** An open bracket: of an object the names so far and the present one, of an array the present position. */
interface Open {
  readonly names?: Set<string>;
  at: string | number;
}

/** Walks over a text that is known to be JSON. */
function requireStrict(text: string): void {
  const open: Open[] = [];
  let nameNext = false;
  for (let at = 0; at < text.length; at += 1) {
    const mark = text[at] as string;
    if (mark === '"') {
      const end = endOfString(text, at);
      if (nameNext) requireNewName(open.at(-1), text.slice(at, end + 1));
      at = end;
    } else if (mark === '{' || mark === '[') {
      nameNext = mark === '{';
      open.push(nameNext ? { names: new Set(), at: '' } : { at: 0 });
      requireShallow(open.length);
    } else if (mark === '}' || mark === ']') open.pop();
    else if (mark === ',') nameNext = isAtName(open.at(-1));
    else if (mark === ':') nameNext = false;
    else if (mark === '-' || isDigit(mark)) at = endOfNumber(text, at, open);
  }
}

/** Behind a comma: another name in an object, the next position in an array. */
function isAtName(inner: Open | undefined): boolean {
  if (typeof inner?.at === 'number') inner.at += 1;
  return inner?.names !== undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function requireNewName(inner: Open | undefined, quoted: string): void {
  const name = JSON.parse(quoted) as string;
  if (name === '__proto__') {
    throw new BadCall(400, "The request body must not have a member named '__proto__'.");
  }
  if (inner?.names?.has(name))
    throw new BadCall(400, `The request body names the member '${shown(name)}' twice.`);
  if (!inner) return;
  inner.names?.add(name);
  inner.at = name;
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}...` : name;
}

function requireShallow(depth: number): void {
  if (depth <= deepest) return;
  throw new BadCall(400, `The request body is nested deeper than ${deepest} levels.`);
}

function isDigit(mark: string): boolean {
  return mark >= '0' && mark <= '9';
}

const numberText = /[-+.eE\d]+/y;

function endOfNumber(text: string, start: number, open: readonly Open[]): number {
  numberText.lastIndex = start;
  const [digits = ''] = numberText.exec(text) ?? [];
  if (!Number.isFinite(Number(digits))) {
    throw new BadCall(400, `The request body holds a number that is too large: ${placeOf(open)}.`);
  }
  // Elsewhere a platform may say what it likes: nothing is made of it.
  if (open[0]?.at === 'parameters' && !isExact(digits)) {
    throw new BadCall(
      400,
      `The number ${placeOf(open)} has more digits than can be kept. Give it as text or with at most 15 digits.`,
    );
  }
  return start + digits.length - 1;
}

function placeOf(open: readonly Open[]): string {
  const path = open.map(({ at }) => (typeof at === 'number' ? `[${at}]` : `.${at}`)).join('');
  return `'${shown(path.replace(/^\./, ''))}'`;
}
