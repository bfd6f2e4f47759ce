/** Reads what this broker sells: one offering from each file of the catalog's directories. */
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import { crossFindings, templateWords } from './checks.ts';
import { type CheckedFiles, compileFiles, type LoadResult, type OfferingText } from './compile.ts';
import { hookDigest } from './hook-digest.ts';
import { Undecided, whenDecided } from '../broker/when-decided.ts';
import { withoutAbsent } from './form/absent.ts';
import { hookFileFindings } from './rules/hooks.ts';
import { withUsualRestarts } from './form/usual.ts';
import { needProblems } from './rules/needs.ts';
import type { OfferingFile } from './form/offering-file.ts';
import { isError, mistake, type Problem, sortProblems, warning } from './problem.ts';
import { inFile, readDirectory, readSome } from './read-files.ts';
import { type SchemaShape, shapeOf } from './form/shape.ts';
import { type RawFile, uniqueProblems } from './rules/unique.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/**
 * Loads the top-level `*.yaml`, `*.yml` and `*.json` files of the directories, and tells all that is wrong
 * with any of them at once. It does not throw for what stands in a file.
 * @param traits the provisioners by name, and what a file that names one may say
 * @param searched the PATH in which interpreters of hooks are looked for; absent: nowhere
 * @param only the name or id of an offering, or files: nothing but these and what they need is looked at, if it is there
 */
export async function loadCatalog(
  directories: readonly string[],
  traits: Traits,
  searched?: string,
  only?: string | readonly string[],
): Promise<LoadResult> {
  return compileFiles(await readCatalog(directories, traits, searched, only));
}

/** The greater part of a load: all but making offerings of the files. */
export async function readCatalog(
  directories: readonly string[],
  traits: Traits,
  searched?: string,
  only?: string | readonly string[],
): Promise<CheckedFiles> {
  const some = only === undefined ? undefined : await readSome(directories, only);
  const read = some ? [some] : await Promise.all(directories.map(readDirectory));
  const files = read
    .flatMap((part) => part.files)
    .map(({ offering, ...rest }): RawFile => ({ ...rest, offering: withoutAbsent(offering, traits) }));
  const unread = read.flatMap((part) => part.problems);
  const shapes = files.map((raw): ShapedFile => ({ ...raw, ...shapeOf(raw.offering) }));
  const beside = await Promise.all(shapes.map((shape) => hookProblems(shape, searched)));
  // Patterns that take their time are matched beside.
  const inFiles = await whenDecided(() => problemsOf(shapes, traits, !unread.some(isError))).catch(
    (error: unknown) => [tooSlow(directories, error)],
  );
  const found = [...unread, ...inFiles, ...beside.flat()];
  const told = found.length + files.length > 0 ? found : [nothingToSell(directories)];
  const problems = sortProblems(located(told, files));
  if (problems.some(isError)) return { problems };
  return { texts: await Promise.all(files.map((raw) => textOf(raw, traits))), problems };
}

async function textOf({ file, offering }: RawFile, traits: Traits): Promise<OfferingText> {
  const hookFiles = await hookDigest(file, asOfferingFile(offering));
  return { text: JSON.stringify(withUsualRestarts(offering, traits)), hookFiles };
}

/** Each with the line and column where what it is about stands. */
function located(problems: readonly Problem[], files: readonly RawFile[]): readonly Problem[] {
  const locates = new Map(files.map(({ file, locate }) => [file, locate]));
  return problems.map((problem) => ({ ...locates.get(problem.file)?.(problem.path), ...problem }));
}

type ShapedFile = RawFile & SchemaShape;

async function hookProblems(
  { file, offering, spoiled }: ShapedFile,
  searched: string | undefined,
): Promise<readonly Problem[]> {
  // Hooks lie in a folder of the offering's name.
  if (spoiled.has('name')) return [];
  const { hooks, prove, ...rest } = asOfferingFile(offering);
  const readable = {
    ...rest,
    hooks: spoiled.has('hooks') ? undefined : hooks,
    prove: spoiled.has('prove') ? undefined : prove,
  };
  return inFile(file, await hookFileFindings(file, readable, searched));
}

function problemsOf(shapes: readonly ShapedFile[], traits: Traits, areAll: boolean): readonly Problem[] {
  // An offering that is needed is not unknown because its file, name or plans cannot be read.
  const isComplete = areAll && shapes.every(({ spoiled }) => needWords.every((word) => !spoiled.has(word)));
  return [
    ...shapes.flatMap(({ file, findings }) => inFile(file, findings)),
    ...shapes.flatMap(({ file, offering, spoiled }) => {
      return inFile(file, crossFindings(asOfferingFile(offering), traits, spoiled));
    }),
    ...uniqueProblems(shapes),
    ...(isComplete
      ? needProblems(
          shapes.map(({ file, offering }) => ({ file, offering: asOfferingFile(offering) })),
          traits,
        )
      : []),
  ];
}

const needWords = ['name', 'plans', 'plans.name', 'plans.with', 'requires_offerings', ...templateWords];

/** Only what the checks of its form have let through is read by this name. */
function asOfferingFile(offering: RawFile['offering']): OfferingFile {
  return offering as unknown as OfferingFile;
}

function tooSlow(directories: readonly string[], error: unknown): Problem {
  if (!(error instanceof Undecided)) throw error;
  const text = error.text.length > 40 ? `${error.text.slice(0, 40)}...` : error.text;
  const reason = `A default takes too long to be checked against its pattern: ${JSON.stringify(text)}.`;
  return { file: directories.join(':'), ...mistake('', reason) };
}

/** The specification allows an empty catalog; Cloud Controller does not. */
function nothingToSell(directories: readonly string[]): Problem {
  return {
    file: directories.join(':'),
    ...warning('', 'There is no offering file, so the catalog is empty.'),
  };
}
