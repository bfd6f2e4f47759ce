import type { Document, YAMLError } from 'yaml';
import { isExact } from '../../broker/json.ts';
import { isObject, type JsonObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { type Finding, mistake } from '../problem.ts';
import { firstLine, type Locate, locator } from './positions.ts';
import { messageOf } from '../reason.ts';
import { deepest } from '../json-schema/subschemas.ts';
import { yaml } from './yaml.ts';

export interface Parsed {
  /** Absent when there are findings. */
  readonly offering?: JsonObject;
  readonly locate?: Locate;
  readonly findings: readonly Finding[];
}

/** An object in a file, or why there is none. */
export interface ParsedObject {
  /** Absent when there are findings. */
  readonly object?: JsonObject;
  readonly locate?: Locate;
  readonly findings: readonly Finding[];
}

/** Reads the text of an offering file. */
export function parseOffering(file: string, bytes: Uint8Array): Parsed {
  const { object: offering, findings, locate } = parseObject(file, bytes, noOffering);
  return { offering, findings, locate };
}

/**
 * Reads the text of a file; by its name it is JSON or YAML 1.2. A key that stands twice is a mistake. No finding quotes it.
 * @param otherwise what is said of a file that holds something else than an object
 */
export function parseObject(file: string, bytes: Uint8Array, otherwise: string): ParsedObject {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const { value, findings, locate } = file.endsWith('.json') ? readJson(text) : readYaml(text);
    const all = findings.length > 0 ? findings : strangersIn(value, '');
    if (all.length > 0) return { findings: all, locate };
    return isObject(value)
      ? { object: value, findings: [], locate }
      : { findings: [mistake('', otherwise)], locate };
  } catch (error) {
    return { findings: [mistake('', `The file cannot be read: ${messageOf(error)}.`)] };
  }
}

const noOffering = 'The file must hold one offering, an object with keys such as id, name and plans.';

interface Read {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  readonly locate?: Locate;
}

/** JSON is nearly all YAML, so the YAML reader finds its duplicate keys, which JSON.parse does not. */
function readJson(text: string): Read {
  try {
    const value: unknown = JSON.parse(text);
    const { findings, locate } = readYaml(
      text,
      ({ code }) => code === 'DUPLICATE_KEY' || code === 'LOST_DIGITS',
    );
    return { value, findings, locate };
  } catch (error) {
    // The rest of the message may quote the file, and with it a secret.
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(messageOf(error)) ?? [];
    const position = line === undefined ? firstLine : { line: Number(line), column: Number(column) };
    return { value: undefined, findings: [{ ...mistake('', 'The file is not valid JSON.'), ...position }] };
  }
}

function readYaml(text: string, isMeant: (fault: Pick<Fault, 'code'>) => boolean = () => true): Read {
  const { LineCounter, parseDocument } = yaml();
  const lineCounter = new LineCounter();
  // Pretty errors would quote the lines, and those may hold secrets; the level keeps the reader from writing.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error', merge: true });
  const faults = [...faultsOf(document), ...misreadings(document)]
    .filter(isMeant)
    .toSorted((a, b) => a.offset - b.offset);
  const [first, ...others] = faults;
  const locate = locator(document, lineCounter);
  if (!first) return { value: document.toJS(), findings: [], locate };
  const { line, col } = lineCounter.linePos(first.offset);
  // One misplaced character can make every line after it wrong.
  const more = others.length > 0 ? ` And ${others.length} more.` : '';
  const finding = { ...mistake('', `${first.reason}${more}`), line, column: col };
  return { value: undefined, findings: [finding], locate };
}

interface Fault {
  readonly code: string;
  readonly offset: number;
  readonly reason: string;
}

function faultsOf({ errors, warnings }: Document.Parsed): readonly Fault[] {
  return [...errors, ...warnings].map((error) => {
    return { code: error.code, offset: error.pos[0], reason: sentence(error) };
  });
}

const oddKey = 'The key must be a plain value; a text that starts with {{ needs quotes.';

const lostDigits = 'The number has more digits than can be kept: put it in quotes or give at most 15 digits.';

/**
 * Where a list or a map stands as a key, which is how YAML reads braces without quotes; and what would be read as
 * another number than the one that stands there.
 */
function misreadings(document: Document.Parsed): readonly Fault[] {
  const { isAlias, isNode, isScalar, visit } = yaml();
  const found: Fault[] = [];
  visit(document, {
    Pair(_, { key }) {
      const meant = isAlias(key) ? key.resolve(document) : key;
      if (!isNode(meant) || isScalar(meant)) return undefined;
      const offset = (isNode(key) ? key.range?.[0] : undefined) ?? 0;
      found.push({ code: 'ODD_KEY', offset, reason: oddKey });
      // Of braces in braces the outer ones are told.
      return visit.SKIP;
    },
    Scalar(_, { value, source = '', range }) {
      if (typeof value !== 'number' || !Number.isFinite(value) || keeps(value, source)) return;
      found.push({ code: 'LOST_DIGITS', offset: range?.[0] ?? 0, reason: lostDigits });
    },
  });
  return found;
}

/** Octal and hexadecimal numbers are whole. */
function keeps(value: number, source: string): boolean {
  return /^[-+]?0[ox]/i.test(source) ? Number.isSafeInteger(value) : isExact(source);
}

function sentence({ code, message }: YAMLError): string {
  return code === 'DUPLICATE_KEY'
    ? 'The key stands here for the second time.'
    : `${message.replace(/\.$/, '')}.`;
}

/** Values that YAML knows and JSON does not, and nesting that would overflow whoever walks through it. */
function strangersIn(value: unknown, at: string, level = 0): readonly Finding[] {
  if (level > deepest) return [mistake(at, `The file is nested more than ${deepest} levels deep.`)];
  if (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)) return [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => strangersIn(item, positionIn(at, index), level + 1));
  const isPlain = isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return [mistake(at, 'JSON has no such value.')];
  return Object.entries(value).flatMap(([key, inner]) => strangersIn(inner, positionIn(at, key), level + 1));
}
