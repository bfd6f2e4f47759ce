import type { Document, LineCounter, Node, Pair } from 'yaml';
import { yaml } from './yaml.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where in its file a place such as `plans[0].name` stands; what is not there stands with what should hold it. */
export type Locate = (path: string) => Position;

export const firstLine: Position = { line: 1, column: 1 };

/** @param document as it was read, with `lineCounter` */
export function locator(document: Document, lineCounter: LineCounter): Locate {
  return (path) => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    for (const step of stepsOf(path)) {
      const found = stepInto(node, step, document);
      if (!found) break;
      offset = startOf(found.at) ?? offset;
      node = found.node;
    }
    const { line, col } = lineCounter.linePos(offset);
    return line > 0 ? { line, column: col } : firstLine;
  };
}

/** The names and list positions that a place consists of; undoes `placeIn`. */
export function stepsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(
    ([, index, quoted, name = '']) => {
      if (index !== undefined) return Number(index);
      return quoted === undefined ? name : (JSON.parse(quoted) as string);
    },
  );
}

interface Found {
  /** What stands at the place for people: the key of a member, an item itself. */
  readonly at: unknown;
  readonly node: unknown;
}

function stepInto(given: unknown, step: string | number, document: Document): Found | undefined {
  const { isAlias, isMap, isSeq } = yaml();
  const node = isAlias(given) ? given.resolve(document) : given;
  if (isSeq(node)) {
    const item: unknown = typeof step === 'number' ? node.items[step] : undefined;
    return item === undefined ? undefined : { at: item, node: item };
  }
  if (!isMap(node)) return undefined;
  const pairs: readonly Pair[] = node.items;
  const own = pairs.find(({ key }) => textOf(key) === String(step));
  if (own) return { at: own.key, node: own.value };
  return pairs
    .filter(({ key }) => textOf(key) === '<<')
    .flatMap(({ value }) => mergedIn(value, document))
    .map((source) => stepInto(source, step, document))
    .findLast((found) => found !== undefined);
}

/** One map, or a list of maps of which the first one counts. */
function mergedIn(value: unknown, document: Document): readonly unknown[] {
  const { isAlias, isSeq } = yaml();
  const source = isAlias(value) ? value.resolve(document) : value;
  return isSeq(source) ? source.items.toReversed() : [source];
}

function textOf(key: unknown): string | undefined {
  if (!yaml().isScalar(key)) return undefined;
  // A merge key is a symbol.
  return typeof key.value === 'symbol' ? key.value.description : String(key.value);
}

function startOf(node: unknown): number | undefined {
  return yaml().isNode(node) ? (node as Node).range?.[0] : undefined;
}
