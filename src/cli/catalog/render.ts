import type { JsonObject } from '../../broker/json.ts';
import { readCatalogDirs } from '../../config/catalog-directories.ts';
import { path } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { argument, flag, option, someText } from '../parameters.ts';
import { parametersOption } from '../platform/parameters.ts';
import { requireNamed } from '../platform/sold.ts';
import { requireCatalog } from './reader.ts';
import { printJson, printText } from '../output/print.ts';

export const catalogRender = defineCommand({
  words: 'catalog render',
  description: 'Show what a plan makes: files, commands, environments, credentials. Nothing is made.',
  arguments: [
    argument('offering', someText(), 'the name of the service offering'),
    argument('plan', someText(), 'the name of its plan'),
  ],
  options: {
    parameters: parametersOption,
    directory: option('--directory <path>', path(), 'where the offering file lies, in place of CATALOG_DIR'),
    json: flag('--json', 'as JSON'),
  },
  async run([offering, plan], { parameters = {}, directory, json }) {
    const catalog = await requireCatalog(directory === undefined ? readCatalogDirs() : [directory], offering);
    const found = requireNamed(catalog.offerings, offering, 'service offering');
    const chosen = requireNamed(found.plans, plan, `plan of ${found.name}`);
    const wrong = chosen.check.provision(parameters as JsonObject);
    if (wrong !== undefined) throw new Error(wrong);
    const { renderPlan, yamlText } = await import('../../catalog/rendered-plan.ts');
    const rendered = renderPlan(chosen, parameters as JsonObject);
    if (json) printJson(rendered);
    else printText(yamlText(rendered));
    return 0;
  },
});
