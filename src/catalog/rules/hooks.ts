import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { expressionsIn, positionIn } from '../../broker/template.ts';
import type { OfferingFile } from '../form/offering-file.ts';
import { type Finding, mistake } from '../problem.ts';
import { codeOf } from '../../system/error-code.ts';
import { scriptFindings } from './script.ts';

/** A program that belongs to the offering lies beside its file; others are found by their name. */
export function hookFindings({ hooks = {} }: OfferingFile): readonly Finding[] {
  return Object.entries(hooks).flatMap(([name, { run }]) => {
    const program = run[0] ?? '';
    if (isOutside(program)) return [mistake(placeOf(name), outside)];
    const isTemplate = expressionsIn(program).length > 0;
    return isTemplate
      ? [mistake(placeOf(name), 'The program stands here as it is, without a template.')]
      : [];
  });
}

/**
 * The programs beside an offering file that could not be run. What only its form is wrong with is not looked for.
 * @param file where the offering file is
 * @param searched the PATH in which interpreters are looked for
 */
export async function hookFileFindings(
  file: string,
  { name: offering, hooks = {}, prove }: OfferingFile,
  searched?: string,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    programsOf(hooks, prove).map(async ({ at, program }) => {
      if (!program.includes('/') || program.includes('{{') || isOutside(program)) return [];
      const reason = await reasonAgainst(dirname(file), posix.normalize(program), `hooks/${offering}`);
      if (reason !== undefined) return [mistake(at, reason)];
      return scriptFindings(join(dirname(file), program), at, searched);
    }),
  );
  return findings.flat();
}

function programsOf(
  hooks: NonNullable<OfferingFile['hooks']>,
  prove: OfferingFile['prove'],
): readonly { readonly at: string; readonly program: string }[] {
  const all = Object.entries(hooks).map(([name, { run }]) => ({ at: placeOf(name), program: run[0] ?? '' }));
  return prove ? [...all, { at: 'prove.run[0]', program: prove.run[0] ?? '' }] : all;
}

export const outside = "The path may not leave the file's own directory.";

/** @param folder the offering's own one, which nothing in it leaves; any other hook does not leave its directory */
async function reasonAgainst(home: string, program: string, folder: string): Promise<string | undefined> {
  try {
    const path = join(home, program);
    if (!(await stat(path)).isFile()) return 'This is not a file.';
    if (!(await isExecutable(path))) return 'The file is not executable.';
    const root = await realpath(join(home, program.startsWith(`${folder}/`) ? folder : dirname(program)));
    return (await realpath(path)).startsWith(`${root}/`) ? undefined : 'The link leads out of its directory.';
  } catch (error) {
    const code = codeOf(error);
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    return isMissing
      ? 'There is no such file beside the offering file.'
      : `The file cannot be used (${code || 'unknown reason'}).`;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Would the path of a program lead out of the directory of the offering file? */
export function isOutside(program: string): boolean {
  return /^\/|^\.\.(?:\/|$)/.test(posix.normalize(program));
}

function placeOf(name: string): string {
  return positionIn(positionIn(positionIn('hooks', name), 'run'), 0);
}
