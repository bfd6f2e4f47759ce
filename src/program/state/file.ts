// The file in which everything lies that a broker knows: a heading, tables row by row, and an end with a sum of all.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../../system/error-code.ts';
import { isRecord } from '../../system/private-file.ts';
import type { Applied } from '../../postgres/migrate.ts';
import type { TableShape } from '../../postgres/table-rows.ts';

/** Of the form below; a later one has another number. */
const FORMAT = 1;

export interface StateHeading {
  /** When it was saved. */
  readonly at: string;
  /** Of the program that has saved it. */
  readonly version: string;
  /** What the tables were made by. */
  readonly migrations: readonly Applied[];
  readonly tables: readonly TableShape[];
}

/** Rows of one table; after all of one table come those of the next. */
export interface StateRows {
  readonly table: string;
  readonly rows: readonly string[];
}

export interface StateSum {
  readonly rows: number;
  /** Of all lines but the last. */
  readonly sha256: string;
}

/**
 * Writes it, whole or not at all, for its owner alone.
 * @throws Error when there is such a file, or it cannot be written
 */
export async function writeState(
  file: string,
  heading: StateHeading,
  rows: AsyncIterable<StateRows>,
): Promise<StateSum> {
  requireAbsent(file);
  const draft = join(dirname(file), `.${basename(file)}-${randomUUID()}`);
  try {
    const sum = { rows: 0, sha256: '' };
    const target = createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(textOf(heading, rows, sum)), target);
    requireAbsent(file);
    renameSync(draft, file);
    return sum;
  } catch (error) {
    rmSync(draft, { force: true });
    throw fileTrouble(error, file, 'written');
  }
}

function requireAbsent(file: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already: name another one, or remove it.`);
}

async function* textOf(
  heading: StateHeading,
  parts: AsyncIterable<StateRows>,
  sum: { rows: number; sha256: string },
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (text: string) => {
    hash.update(text);
    return text;
  };
  yield hashed(lineOf({ purveyor: 'state', format: FORMAT, ...heading }));
  let current = '';
  for await (const { table, rows } of parts) {
    if (table !== current) yield hashed(lineOf({ table }));
    current = table;
    sum.rows += rows.length;
    yield hashed(rows.map(lineOf).join(''));
  }
  sum.sha256 = hash.digest('hex');
  yield lineOf({ end: sum });
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

export interface StateFile {
  readonly heading: StateHeading;
  readonly sum: StateSum;
  /** Reads it anew. */
  rows(): AsyncGenerator<StateRows>;
}

/**
 * Reads it once to know that it is whole and as it was written.
 * @throws Error with a sentence when it is not, or is no such file
 */
export async function openState(file: string): Promise<StateFile> {
  const hash = createHash('sha256');
  let heading: StateHeading | undefined;
  let last = '';
  let rows = 0;
  for await (const line of linesOf(file)) {
    heading ??= readHeading(file, line);
    if (last !== '') hash.update(`${last}\n`);
    if (line.startsWith('"')) rows += 1;
    last = line;
  }
  const end = parsed(last)?.['end'];
  if (!heading || !isRecord(end))
    throw new Error(`${file} is not whole: its end is missing. Take another one; nothing was changed.`);
  const sum = { rows, sha256: hash.digest('hex') };
  if (end['sha256'] !== sum.sha256)
    throw new Error(`${file} is damaged: its sum is another one. Take another one; nothing was changed.`);
  return { heading, sum, rows: () => rowsIn(file) };
}

function readHeading(file: string, line: string): StateHeading {
  const heading = parsed(line);
  if (heading?.['purveyor'] !== 'state') throw new Error(`${file} is not what 'state save' writes.`);
  if (heading['format'] !== FORMAT)
    throw new Error(`${file} was written by a newer program, ${String(heading['version'])}: run that one.`);
  return heading as unknown as StateHeading;
}

async function* rowsIn(file: string): AsyncGenerator<StateRows> {
  let table = '';
  let rows: string[] = [];
  for await (const line of linesOf(file)) {
    if (line.startsWith('"')) rows.push(JSON.parse(line) as string);
    const isHeading = !line.startsWith('"');
    if (rows.length > 0 && (isHeading || rows.length === 500)) {
      yield { table, rows };
      rows = [];
    }
    if (isHeading) table = String(parsed(line)?.['table']);
  }
}

/** By LF alone: what else may end lines for others stands within them. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw fileTrouble(error, file, 'read');
  }
  if (rest !== '') yield rest;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'this user may not',
  EISDIR: 'it is a directory',
  ENOSPC: 'its file system is full',
  EROFS: 'its file system is only read',
};

function fileTrouble(error: unknown, file: string, done: string): unknown {
  const reason = reasons[codeOf(error)];
  return reason === undefined ? error : new Error(`${file} cannot be ${done}: ${reason}.`, { cause: error });
}
