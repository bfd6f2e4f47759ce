import { posix } from 'node:path';
import { placeIn } from '../../broker/template.ts';
import type { OfferingFile } from '../offering-file.ts';
import { type Finding, mistake, type Problem } from '../problem.ts';

/** A need is met by an instance of its own, made from a plan, or by one that exists. */
export function needFindings({ requires_offerings: needs = {} }: OfferingFile): readonly Finding[] {
  return Object.entries(needs).flatMap(([name, { plan, instance }]) => {
    if ((plan === undefined) !== (instance === undefined)) return [];
    const reason = 'Give a plan (an instance of its own) or an instance (a shared one).';
    return [mistake(placeOf(name), reason)];
  });
}

/** A program that belongs to the offering lies beside its file; others are found by their name. */
export function hookFindings({ hooks = {} }: OfferingFile): readonly Finding[] {
  return Object.entries(hooks).flatMap(([name, { run }]) => {
    const program = run[0] ?? '';
    const leaves = program.startsWith('/') || posix.normalize(program).startsWith('..');
    const at = placeIn(placeIn(placeIn('hooks', name), 'run'), 0);
    return leaves ? [mistake(at, "The path may not leave the file's own directory.")] : [];
  });
}

export interface NamedFile {
  readonly file: string;
  readonly offering: OfferingFile;
}

/** Needs lead to offerings and plans that exist, and never back to where they started. */
export function needProblems(files: readonly NamedFile[]): readonly Problem[] {
  const byName = new Map(files.map(({ offering }) => [offering.name, offering]));
  return files.flatMap(({ file, offering }) =>
    Object.entries(offering.requires_offerings ?? {}).flatMap(([name, need]) => {
      const needed = byName.get(need.offering);
      const at = placeOf(name);
      const report = (finding: Finding): Problem => ({ file, ...finding });
      if (!needed)
        return [report(mistake(placeIn(at, 'offering'), `There is no offering '${need.offering}'.`))];
      if (need.plan !== undefined && !needed.plans.some((plan) => plan.name === need.plan)) {
        return [
          report(mistake(placeIn(at, 'plan'), `The offering '${needed.name}' has no plan '${need.plan}'.`)),
        ];
      }
      const circle = findWay(needed.name, offering.name, byName);
      return circle
        ? [report(mistake(at, `The needs go in a circle: ${[offering.name, ...circle].join(', ')}.`))]
        : [];
    }),
  );
}

function placeOf(name: string): string {
  return placeIn(placeIn('', 'requires_offerings'), name);
}

/** The names from one offering to another along their needs. */
function findWay(
  from: string,
  to: string,
  byName: ReadonlyMap<string, OfferingFile>,
  seen = new Set<string>(),
): readonly string[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const { offering } of Object.values(byName.get(from)?.requires_offerings ?? {})) {
    const way = findWay(offering, to, byName, seen);
    if (way) return [from, ...way];
  }
  return undefined;
}
