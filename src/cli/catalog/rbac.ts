import type { JsonObject } from '../../broker/json.ts';
import { readCatalogDirs } from '../../config/catalog-directories.ts';
import { path, WrongValue, type Kind } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { printJson, printText } from '../output/print.ts';
import { flag, option, optionWithDefault } from '../parameters.ts';
import { requireCatalog } from './reader.ts';

export const catalogRbac = defineCommand({
  words: 'catalog rbac',
  description: 'Print the smallest roles that a broker needs in a cluster for what its catalog sells there.',
  options: {
    directory: option('--directory <path>', path(), 'where the offering files lie, in place of CATALOG_DIR'),
    serviceAccount: optionWithDefault(
      '--service-account <namespace:name>',
      account(),
      'purveyor:purveyor',
      'who gets the roles',
    ),
    exec: flag('--exec', 'also what instances exec needs'),
    json: flag('--json', 'as JSON'),
  },
  async run(_none, { directory, serviceAccount, exec, json }) {
    const catalog = await requireCatalog(directory === undefined ? readCatalogDirs() : [directory]);
    const plans = catalog.offerings.flatMap((offering) => offering.plans);
    const { kindsNamedBy, rolesOf } = await import('../../provisioners/kubernetes/roles.ts');
    const { pluralOf } = await import('../../provisioners/kubernetes/rules/needs.ts');
    const roles = rolesOf(plans, {
      account: serviceAccount,
      pluralOf: (kind) => pluralOf(kind).plural,
      hasExec: exec ?? false,
    });
    if (roles.length === 0) throw new Error('The catalog sells nothing in a cluster.');
    for (const kind of kindsNamedBy(plans)) {
      const { plural, isGuess } = pluralOf(kind);
      if (isGuess) console.error(`Guessed: ${kind.kind} of ${kind.apiVersion} is called ${plural} in roles.`);
      if (kind.apiVersion.startsWith('rbac.authorization.k8s.io/'))
        console.error(`A ${kind.kind} gives rights: the broker must have what it gives, too.`);
    }
    if (json) printJson({ apiVersion: 'v1', kind: 'List', items: roles });
    else printText(await asYaml(roles));
    return 0;
  },
});

function account(): Kind<{ readonly namespace: string; readonly name: string }> {
  return {
    read(text) {
      const [, namespace, name] = /^([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(text) ?? [];
      if (namespace === undefined || name === undefined) throw new WrongValue('must be <namespace>:<name>');
      return { namespace, name };
    },
  };
}

async function asYaml(objects: readonly JsonObject[]): Promise<string> {
  const { yamlText } = await import('../../catalog/rendered-plan.ts');
  return objects.map(yamlText).join('---\n');
}
