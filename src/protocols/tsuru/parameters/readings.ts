import { isObject, type Json } from '../../../broker/json.ts';
import { readJson } from './exact-json.ts';
import { mayBe, type SchemaPlace, placeIn } from './schema-places.ts';

/** One way to read what was sent. */
export interface Reading {
  readonly value: Json;
  /** In how many places it takes something for what it was not sent as, although it could be that. */
  readonly bends: number;
}

/** As many are looked at as can be checked while somebody waits. */
const most = 300;

/**
 * All ways to read what a form has sent that the schema does not rule out, those with the fewest bends first; and
 * always at least one.
 */
export function readingsOf(sent: Json, place: SchemaPlace): readonly Reading[] {
  if (typeof sent === 'string') return possible(place, [sent, ...textReadings(sent, place)]);
  if (Array.isArray(sent)) return listReadings(sent as readonly Json[], place);
  if (!isObject(sent)) return [{ value: sent, bends: 0 }];
  const items = itemsOf(sent);
  if (!items || !mayBe(place, [])) return objectReadings(sent, place);
  if (!mayBe(place, {})) return listReadings(items, place);
  const lists = listReadings(items, place).map(({ value, bends }) => ({ value, bends: bends + 1 }));
  return fewestFirst([...objectReadings(sent, place), ...lists]);
}

/** An empty list or object is sent as an empty text. */
function textReadings(text: string, place: SchemaPlace): readonly Json[] {
  if (text === '') return [[], {}].filter((empty) => mayBe(place, empty));
  const value = readJson(text);
  return value === undefined ? [] : [value];
}

/** What was sent stays where it may be; else it is the only other thing that may, or is left for the schema to refuse. */
function possible(place: SchemaPlace, [sent, ...others]: readonly [Json, ...Json[]]): readonly Reading[] {
  const found = others.filter((value) => mayBe(place, value));
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0 && !mayBe(place, sent)) return [{ value: only, bends: 0 }];
  return [{ value: sent, bends: 0 }, ...found.map((value) => ({ value, bends: 1 }))];
}

function listReadings(items: readonly Json[], place: SchemaPlace): readonly Reading[] {
  const each = items.map((item, index) => readingsOf(item, placeIn(place, String(index), true)));
  return combinations(each).map(({ values, bends }) => ({ value: values, bends }));
}

function objectReadings(sent: Readonly<Record<string, Json>>, place: SchemaPlace): readonly Reading[] {
  const names = Object.keys(sent);
  const each = names.map((name) => readingsOf(sent[name] as Json, placeIn(place, name, false)));
  return combinations(each).map(({ values, bends }) => ({
    value: Object.fromEntries(names.map((name, index) => [name, values[index] as Json])),
    bends,
  }));
}

interface Combination {
  readonly values: readonly Json[];
  readonly bends: number;
}

function combinations(each: readonly (readonly Reading[])[]): readonly Combination[] {
  let found: readonly Combination[] = [{ values: [], bends: 0 }];
  for (const readings of each) {
    found = fewestFirst(
      found.flatMap(({ values, bends }) =>
        readings.map((one) => ({ values: [...values, one.value], bends: bends + one.bends })),
      ),
    );
  }
  return found;
}

/** Where there are too many, all with as many bends as the first that is left out are left out. */
function fewestFirst<One extends { readonly bends: number }>(found: readonly One[]): readonly One[] {
  if (found.length <= 1) return found;
  const sorted = found.toSorted((a, b) => a.bends - b.bends);
  const tooMany = sorted[most]?.bends ?? Infinity;
  const fewest = sorted.filter(({ bends }) => bends < tooMany);
  return fewest.length > 0 ? fewest : sorted.slice(0, 1);
}

/** `{0: a, 1: b}`, which is how a form writes a list. */
function itemsOf(value: Readonly<Record<string, Json>>): readonly Json[] | undefined {
  const names = Object.keys(value);
  const isList = names.length > 0 && names.every((_name, index) => Object.hasOwn(value, String(index)));
  return isList ? names.map((_name, index) => value[String(index)] as Json) : undefined;
}
