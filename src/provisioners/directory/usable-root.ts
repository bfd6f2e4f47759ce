import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServicePlan } from '../../broker/catalog.ts';
import { renderText, TemplateError } from '../../broker/template.ts';
import { codeOf } from '../../system/error-code.ts';
import { troubleWith } from '../../system/usable-directory.ts';

/**
 * What keeps a root from being used, as operators read it of any directory.
 * @param error of the system; absent: it is no directory
 */
export function unusable(root: string, error?: unknown): string {
  const isAbsent = error === undefined && !statSync(root, { throwIfNoEntry: false });
  return `roots: ${root} cannot be used: ${isAbsent ? 'it is not there' : troubleWith(root, error)}.`;
}

/** Why nothing can be where a root should be, as a sentence; undefined: it is there. The root itself may be a link. */
export function absenceOf(root: string): string | undefined {
  try {
    return statSync(root).isDirectory() ? undefined : unusable(root);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? unusable(root) : unusable(root, error);
  }
}

/** Sentences about the roots of a plan in which no instance could be made now: each is tried. */
export function concernsOf({ offeringName, making }: ServicePlan): readonly string[] {
  const told = rootsOf(making).map((root) => absenceOf(root) ?? refusalOf(root));
  return told.filter((one) => one !== undefined).map((one) => `${offeringName}: ${one}`);
}

/** Those that are the same for all instances of the plan. */
function rootsOf({ config, settings }: ServicePlan['making']): readonly string[] {
  const { roots = [] } = config;
  return (roots as readonly string[]).flatMap((root) => {
    try {
      return [renderText(root, { plan: settings })];
    } catch (error) {
      if (error instanceof TemplateError) return [];
      throw error;
    }
  });
}

function refusalOf(root: string): string | undefined {
  try {
    rmdirSync(mkdtempSync(join(root, '.probe-')));
    return undefined;
  } catch (error) {
    return unusable(root, error);
  }
}
