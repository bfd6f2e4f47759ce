// Offering files as somebody writes them late at night: the shipped ones, with something wrong in them.
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadCatalog } from '../../src/catalog/load.ts';
import { problemLines } from '../../src/catalog/problem.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { oddJson } from './odd-values.ts';
import { chanceFrom, type Bounds, type Chance } from './random.ts';
import { longestMs } from './rules.ts';

export interface CatalogReport {
  readonly files: number;
  readonly loaded: number;
  readonly faults: readonly string[];
}

const catalog = join(import.meta.dirname, '../../catalog');

/** Loads one mutated file after the other, each alone in its directory. */
export async function fuzzCatalogs({ seed, count, time }: Bounds): Promise<CatalogReport> {
  const chance = chanceFrom(seed);
  const directory = scratchDirectory('catalogs');
  cpSync(join(catalog, 'hooks'), join(directory, 'hooks'), { recursive: true });
  const sources = globSync('{.,trial}/*.yaml', { cwd: catalog }).toSorted();
  const faults: string[] = [];
  const end = performance.now() + time;
  let files = 0;
  let loaded = 0;
  for (; files < count && performance.now() < end && faults.length < 10; files++) {
    const source = chance.of(sources);
    const file = join(directory, basename(source));
    const text = mutatedFile(readFileSync(join(catalog, source), 'utf8'), chance);
    writeFileSync(file, text);
    const started = performance.now();
    const found: string[] = [];
    try {
      const result = await loadCatalog([directory], shippedTraits(), process.env['PATH']);
      if (result.catalog) loaded++;
      found.push(...faultsOfLines(problemLines(result.problems), String(text), result.catalog !== undefined));
    } catch (error) {
      found.push(`It throws: ${(error as Error).stack}`);
    }
    if (performance.now() - started > longestMs) found.push('It takes too long.');
    if (found.length > 0)
      faults.push([`File ${files}, made of ${source}:`, ...found, String(text).slice(0, 6000)].join('\n'));
    rmSync(file);
  }
  return { files, loaded, faults };
}

/** What nobody has written into a file is nothing that is told of it. */
const odd = [/undefined/, /\[object /, /NaN/, /\bat \S+:\d+:\d+/];

function faultsOfLines(lines: readonly string[], text: string, isLoaded: boolean): readonly string[] {
  if (!isLoaded && lines.length === 0) return ['It is refused and nobody says why.'];
  return lines
    .filter((line) => odd.some((words) => words.test(line) && !words.test(text)))
    .map((line) => `It says: ${line}`);
}

function mutatedFile(text: string, chance: Chance): string | Uint8Array {
  const times = 1 + chance.below(3);
  if (chance.once(3)) return mutatedText(text, chance, times);
  let value: unknown = parse(text);
  for (let left = times; left > 0; left--) value = mutatedValue(value, chance);
  return chance.once(2) ? JSON.stringify(value) : stringify(value, { aliasDuplicateObjects: chance.once(2) });
}

/** By lines and bytes, so that it may not be YAML at all any more. */
function mutatedText(text: string, chance: Chance, times: number): string | Uint8Array {
  const lines = text.split('\n');
  for (let left = times; left > 0; left--) {
    const at = chance.below(lines.length);
    const line = lines[at] ?? '';
    const others = [
      [],
      [line, line],
      [` ${line}`],
      [line.trimStart()],
      [`${line} &a`],
      [line.replace(/:.*/, ': *a')],
      [line.replace(/:.*/, `: ${chance.of(oddJson)}`)],
      [line.replace(/:.*/, ': !!binary x')],
      [line.replace(/:.*/, ': !!js/function x')],
      ['<<: {a: b}', line],
      ['---', line],
      [`${line}\t`],
      [line.replace('{{', '{{{').replace('}}', '}')],
      [line.slice(0, chance.below(line.length + 1))],
    ];
    lines.splice(at, 1, ...chance.of(others));
  }
  const bytes = Buffer.from(lines.join('\n'));
  if (chance.once(4)) bytes[chance.below(bytes.length)] = chance.below(256);
  return bytes;
}

type Members = Record<string, unknown>;

/** A copy in which one value somewhere is another one, doubled, renamed or gone. */
function mutatedValue(value: unknown, chance: Chance): unknown {
  const copy = structuredClone(value);
  const places = placesIn(copy, []);
  if (places.length === 0) return oddValue(chance);
  const { of, key } = chance.of(places);
  const other = chance.of(places);
  switch (chance.below(6)) {
    case 0:
      if (Array.isArray(of)) of.splice(Number(key), 1);
      else delete of[key];
      break;
    case 1:
      if (Array.isArray(of)) of.push(structuredClone(of[Number(key)]));
      else of[chance.of(['extra', '', '__proto__x', 'id', 'with', `${key}s`])] = structuredClone(of[key]);
      break;
    case 2:
      (of as Members)[key] = structuredClone((other.of as Members)[other.key]);
      break;
    case 3:
      (of as Members)[key] = chance.of(oddTemplates);
      break;
    default:
      (of as Members)[key] = oddValue(chance);
  }
  return copy;
}

const oddTemplates = [
  '{{',
  '}}',
  '{{}}',
  '{{ }}',
  '{{params}}',
  '{{params.none}}',
  '{{secrets.__proto__}}',
  '{{constructor.name}}',
  '{{plan.memory_mb | json | uri | nothing}}',
  '{{deps.cache.uri}}',
  '{{ports.main}}{{ports.main}',
  '{{instance.id | }}',
  `${'{{'.repeat(500)}`,
  '(a+)+$',
  '[',
  '9999999999h',
  '-1s',
];

function oddValue(chance: Chance): unknown {
  const value: unknown = JSON.parse(chance.of(oddJson));
  return value === Infinity ? -1 : value;
}

interface Position {
  readonly of: Members | unknown[];
  readonly key: string;
}

function placesIn(value: unknown, found: Position[]): readonly Position[] {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push({ of: value as Members, key });
    placesIn((value as Members)[key], found);
  }
  return found;
}
