import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Finding, mistake, warning } from '../problem.ts';

/**
 * What would keep an executable file from being run as its author means it: a script says in its first line what
 * runs it. What only this machine lacks is a warning, for the offering may be made on another one.
 * @param searched the PATH in which `env` would look; absent: that is not checked
 */
export async function scriptFindings(
  path: string,
  at: string,
  searched: string | undefined,
): Promise<readonly Finding[]> {
  const { start, hasReturns } = await readStart(path);
  if (isBinary(start)) return [];
  if (start.length === 0) return [mistake(at, 'The file is empty.')];
  if (start.startsWith('\uFEFF'))
    return [mistake(at, 'The file starts with a byte order mark: #! must be first.')];
  const [first = ''] = start.split('\n');
  if (!first.startsWith('#!'))
    return [mistake(at, 'The first line must say what runs the file, as in #!/bin/sh.')];
  if (first.endsWith('\r')) return [mistake(at, windowsLines)];
  const words = first.slice(2).trim().split(/\s+/);
  const reason = await interpreterReason(words, searched);
  const findings = [
    ...(hasReturns ? [warning(at, windowsLines)] : []),
    ...(reason === undefined ? [] : [reason.isSure ? mistake(at, reason.text) : warning(at, reason.text)]),
  ];
  return findings;
}

const windowsLines = 'The lines of the file end with CR LF, as on Windows; they must end with LF.';

/** Bytes of a script in which Windows line ends are looked for. */
const looked = 65_536;

interface Start {
  readonly start: string;
  readonly hasReturns: boolean;
}

async function readStart(path: string): Promise<Start> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(looked), 0, looked, 0);
    const start = buffer.subarray(0, bytesRead).toString('utf8');
    return { start, hasReturns: start.includes('\r\n') };
  } finally {
    await file.close();
  }
}

/** Programs of the machine itself (ELF, Mach-O), which name no interpreter. */
function isBinary(start: string): boolean {
  return start.startsWith('\x7fELF') || start.slice(0, 1024).includes('\0');
}

interface Reason {
  readonly text: string;
  /** On every machine. */
  readonly isSure: boolean;
}

async function interpreterReason(
  words: readonly string[],
  searched: string | undefined,
): Promise<Reason | undefined> {
  const [interpreter = '', ...rest] = words;
  if (interpreter === '')
    return { text: 'The first line names no program that runs the file.', isSure: true };
  if (!interpreter.startsWith('/')) {
    return {
      text: `The first line must name its program by its whole path, not '${interpreter}'.`,
      isSure: true,
    };
  }
  if (!(await isExecutable(interpreter)))
    return { text: `There is no ${interpreter} on this machine, which the first line names.`, isSure: false };
  if (!interpreter.endsWith('/env')) return undefined;
  if (rest.length > 1 && !rest[0]?.startsWith('-')) {
    const text =
      'The first line gives env more than one word: the system hands them on as one, so write env -S.';
    return { text, isSure: true };
  }
  const program = rest.find((word) => !word.startsWith('-') && !word.includes('='));
  if (program === undefined || searched === undefined || (await isOnPath(program, searched)))
    return undefined;
  return {
    text: `There is no ${program} on the PATH of this machine, which the first line names.`,
    isSure: false,
  };
}

async function isOnPath(program: string, searched: string): Promise<boolean> {
  if (program.includes('/')) return isExecutable(program);
  const directories = searched.split(delimiter).filter((directory) => directory !== '');
  const found = await Promise.all(directories.map((directory) => isExecutable(join(directory, program))));
  return found.includes(true);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
