import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
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
  const directory = [...directories, shipped].find((one) => existsSync(join(one, `${from}.yaml`)));
  if (directory === undefined) throw new Error(`There is no ${from}.yaml in ${directories.join(', ')}.`);
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

function hooksOf(directory: string, from: string, name: string): readonly CatalogFile[] {
  const hooks = join(directory, 'hooks', from);
  if (!existsSync(hooks)) return [];
  return readdirSync(hooks).map((hook) => ({
    path: `hooks/${name}/${hook}`,
    text: readFileSync(join(hooks, hook), 'utf8'),
    executable: true,
  }));
}
