import { readFile, stat } from 'node:fs/promises';
import { isObject } from '../broker/json.ts';
import { codeOf } from '../system/error-code.ts';
import { offeringFiles } from './files.ts';
import { parseOffering } from './form/parse.ts';
import { firstLine } from './form/positions.ts';
import { type Finding, mistake, type Problem } from './problem.ts';
import type { RawFile } from './rules/unique.ts';

export interface FilesRead {
  readonly files: readonly RawFile[];
  readonly problems: readonly Problem[];
}

/** All offering files of a directory; a file that cannot be read is a problem. */
export async function readDirectory(directory: string): Promise<FilesRead> {
  try {
    const read = await Promise.all((await offeringFiles(directory)).map(readOffering));
    return { files: read.flatMap((part) => part.files), problems: read.flatMap((part) => part.problems) };
  } catch (error) {
    return {
      files: [],
      problems: [{ file: directory, ...mistake('', `The directory ${whyUnreadable(error)}`) }],
    };
  }
}

async function readOffering(file: string): Promise<FilesRead> {
  try {
    // Nobody may ever write to a pipe, and whoever reads it would wait.
    if (!(await stat(file)).isFile()) return { files: [], problems: inFile(file, [noFile]) };
    const { offering, findings, locate } = parseOffering(file, await readFile(file));
    return {
      files: offering ? [{ file, offering, locate }] : [],
      problems: inFile(file, findings).map((problem) => ({ ...firstLine, ...problem })),
    };
  } catch (error) {
    return { files: [], problems: inFile(file, [mistake('', `The file ${whyUnreadable(error)}`)]) };
  }
}

// An error: where a mounted file is missing, its offering must not leave the catalog without a word.
const noFile = mistake('', 'This is not a file.');

function whyUnreadable(error: unknown): string {
  const code = codeOf(error);
  return code === 'ENOENT' ? 'does not exist.' : `cannot be read (${code || 'unknown reason'}).`;
}

/**
 * Some files and those of the offerings that they need. Most others are not even parsed, which is the greater part of
 * what reading a catalog costs.
 * @param wanted the name or id of an offering, or files
 * @returns undefined when one of them is not found so, and only all files together can tell what is wrong
 */
export async function readSome(
  directories: readonly string[],
  wanted: string | readonly string[],
): Promise<FilesRead | undefined> {
  const files = typeof wanted === 'string' ? [] : [...new Set(wanted)];
  const parts = await Promise.all(files.map(readOffering));
  const read = {
    files: parts.flatMap((part) => part.files),
    problems: parts.flatMap((part) => part.problems),
  };
  const names = typeof wanted === 'string' ? [wanted] : read.files.flatMap(needsOf);
  if (names.length === 0) return read;
  return withNeeded(read, names, (await Promise.all(directories.map(readTexts))).flat());
}

/** @returns undefined when one of the names is not found */
async function withNeeded(
  { files, problems }: FilesRead,
  wanted: readonly string[],
  texts: readonly { readonly file: string; readonly text: string }[],
): Promise<FilesRead | undefined> {
  const found = new Map(files.map((one) => [one.file, one]));
  const names = [...new Set(wanted)];
  // It grows by what each offering needs.
  for (const name of names) {
    const meant = texts.filter(({ text }) => saysName(text, name)).map(({ file }) => file);
    const read = await Promise.all(meant.map(async (file) => found.get(file) ?? readOffering(file)));
    const offerings = read.flatMap((one) => ('offering' in one ? [one] : one.files));
    const named = offerings.filter(({ offering }) => offering['name'] === name || offering['id'] === name);
    if (named.length === 0) return undefined;
    for (const one of named) found.set(one.file, one);
    names.push(...named.flatMap(needsOf).filter((need) => !names.includes(need)));
  }
  return { files: [...found.values()], problems };
}

async function readTexts(directory: string): Promise<readonly { file: string; text: string }[]> {
  const files = await offeringFiles(directory).catch(() => []);
  const read = files.map(async (file) => {
    const isFile = await stat(file).then((found) => found.isFile());
    return isFile ? [{ file, text: await readFile(file, 'utf8') }] : [];
  });
  return (await Promise.all(read.map((texts) => texts.catch(() => [])))).flat();
}

/** Does a text of YAML or JSON give something this name or id, in an ordinary way? */
function saysName(text: string, wanted: string): boolean {
  const said = text.matchAll(/\b(?:name|id)["']?\s*:\s*["']?([\w.-]+)/g);
  return [...said].some(([, name]) => name === wanted);
}

function needsOf({ offering: { requires_offerings: needs } }: RawFile): readonly string[] {
  if (!isObject(needs)) return [];
  return Object.values(needs)
    .map((need) => (isObject(need) ? need['offering'] : undefined))
    .filter((name) => typeof name === 'string');
}

/** Findings as problems of a file. */
export function inFile(file: string, findings: readonly Finding[]): readonly Problem[] {
  return findings.map((finding) => ({ file, ...finding }));
}
