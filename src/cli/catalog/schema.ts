import { defineCommand } from '../command.ts';
import { print } from '../output/print.ts';

export const catalogSchema = defineCommand({
  words: 'catalog schema',
  description: 'Print the form of an offering file as JSON Schema, for editors.',
  async run() {
    const { publishedSchema } = await import('../../catalog/form/published-schema.ts');
    const { shippedTraits } = await import('../../program/shipped.ts');
    print(JSON.stringify(publishedSchema(shippedTraits()), undefined, 2));
    return 0;
  },
});
