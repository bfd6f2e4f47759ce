import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { didYouMean } from '../form/did-you-mean.ts';
import type { CatalogFile } from './starter-files.ts';

/**
 * The file of another offering under a new name and with new ids, and its hooks.
 * @param directories where it is looked for
 * @throws Error when it is in none of them
 */
export function copyOffering(
  name: string,
  from: string,
  directories: readonly string[],
): readonly CatalogFile[] {
  const shipped = join(import.meta.dirname, '..', '..', '..', 'catalog');
  const all = [...new Set([...directories, shipped])];
  const directory = all.find((one) => existsSync(join(one, `${from}.yaml`)));
  if (directory === undefined) throw new Error(noneSuch(from, all));
  const text = readFileSync(join(directory, `${from}.yaml`), 'utf8');
  const { id, plans } = parse(text) as { id: string; plans: readonly { id: string }[] };
  const renamed = [id, ...plans.map((plan) => plan.id)]
    .reduce((all, old) => all.replaceAll(old, randomUUID()), text)
    .replace(/^name: .*$/m, `name: ${name}`)
    .replaceAll(`./hooks/${from}/`, `./hooks/${name}/`)
    .replace(/^keeps_ids: .*\n/m, '')
    .replace(/^# yaml-language-server.*\n/m, '');
  return [{ path: `${name}.yaml`, text: renamed, executable: false }, ...hooksOf(directory, from, name)];
}

function noneSuch(from: string, directories: readonly string[]): string {
  const names = directories
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory))
    .flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const known = [...new Set(names)].toSorted();
  return `There is no offering file ${from}.yaml.${didYouMean(from, known)} There are: ${known.join(', ')}.`;
}

function hooksOf(directory: string, from: string, name: string): readonly CatalogFile[] {
  const hooks = join(directory, 'hooks', from);
  if (!existsSync(hooks)) return [];
  return readdirSync(hooks).map((hook) => ({
    path: `hooks/${name}/${hook}`,
    text: readFileSync(join(hooks, hook), 'utf8'),
    executable: true,
  }));
}
