import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../broker/json.ts';
import { ensureCertificate } from '../certificate.ts';
import { type Blueprint, draw } from './blueprint.ts';
import { removeFiles, writeFiles } from './write.ts';
import { findConfigured, forgetConfigured, saveConfigured } from './state.ts';
import { callHook } from '../../../node/hook-steps.ts';
import type { ProcessContext } from '../context.ts';

/** What the instance's plan and parameters say that its files and commands shall be. */
export function drawContext({ config, roots, work }: ProcessContext): Blueprint {
  return draw(config, roots, work.plan.operating.limits);
}

/**
 * Writes the files of the blueprint and runs the hook. Until all is done the instance counts as not configured.
 * @param tries how often this was begun
 * @returns what the hook told
 */
export async function configure(
  context: ProcessContext,
  blueprint: Blueprint,
  tries: number,
): Promise<JsonObject> {
  const { node, directory, numbers } = context;
  const before = findConfigured(directory);
  const [files, kept] = [Object.keys(blueprint.files), Object.keys(blueprint.kept)];
  // What is running has been ended, and its order and signals are not needed any more.
  forgetConfigured(directory);
  const gone = before?.files.filter((name) => !files.includes(name) && !kept.includes(name));
  removeFiles(directory.conf, gone ?? []);
  await ensureCertificate(context);
  const { mark, units } = blueprint;
  const told = writeFiles(node, directory.conf, {
    ...blueprint.files,
    ...findUnwritten(context, blueprint),
  }).then(() => callHook(context, 'configure', tries));
  await saveConfigured(directory, { mark, units, ports: numbers, files, kept }, told);
  return told;
}

/** Files that are written once and have not been. What an attempt to make the instance has left counts as nothing. */
function findUnwritten({ directory, work }: ProcessContext, { kept }: Blueprint): Blueprint['files'] {
  const isThere = (name: string) => lstatSync(join(directory.conf, name), { throwIfNoEntry: false });
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !work.instance.ready || !isThere(name)));
}
