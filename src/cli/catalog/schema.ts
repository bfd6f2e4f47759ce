import { defineCommand } from '../command.ts';
import { printJson } from '../output/print.ts';
import { jsonAnyway } from '../parameters.ts';

export const catalogSchema = defineCommand({
  words: 'catalog schema',
  description: 'Print the form of an offering file as JSON Schema, for editors.',
  options: jsonAnyway,
  async run() {
    const { publishedSchema } = await import('../../catalog/form/published-schema.ts');
    const { shippedTraits } = await import('../../program/shipped.ts');
    printJson(publishedSchema(shippedTraits()));
    return 0;
  },
});
