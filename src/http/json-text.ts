import { BadCall } from '../protocols/protocol.ts';

const deepest = 100;
// Drops a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads JSON strictly. JSON.parse lets the last of two equal names win, rounds 1e400 to infinity and makes
 * members that poison careless code; all of this would be stored, so it is refused with BadCall 400.
 */
export function readJson(bytes: Uint8Array): unknown {
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

/** Walks over a text that is known to be JSON. */
function requireStrict(text: string): void {
  // One entry per open bracket: the names seen so far of an object, undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (let at = 0; at < text.length; at += 1) {
    const mark = text[at] as string;
    if (mark === '"') {
      const end = endOfString(text, at);
      if (nameNext) requireNewName(open.at(-1), text.slice(at, end + 1));
      at = end;
    } else if (mark === '{' || mark === '[') {
      nameNext = mark === '{';
      open.push(nameNext ? new Set() : undefined);
      requireShallow(open.length);
    } else if (mark === '}' || mark === ']') open.pop();
    else if (mark === ',') nameNext = open.at(-1) !== undefined;
    else if (mark === ':') nameNext = false;
    else if (mark === '-' || isDigit(mark)) at = endOfFiniteNumber(text, at);
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function requireNewName(seen: Set<string> | undefined, quoted: string): void {
  const name = JSON.parse(quoted) as string;
  if (name === '__proto__') {
    throw new BadCall(400, "The request body must not have a member named '__proto__'.");
  }
  if (seen?.has(name)) throw new BadCall(400, `The request body names the member '${shown(name)}' twice.`);
  seen?.add(name);
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

function endOfFiniteNumber(text: string, start: number): number {
  numberText.lastIndex = start;
  const [digits = ''] = numberText.exec(text) ?? [];
  if (!Number.isFinite(Number(digits))) {
    throw new BadCall(400, 'The request body holds a number that is too large.');
  }
  return start + digits.length - 1;
}
