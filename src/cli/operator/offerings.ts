import { defineCommand } from '../command.ts';
import { asJson } from '../parameters.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { table } from '../table.ts';
import { printFor } from '../output/print.ts';

export const offerings = defineCommand({
  words: 'offerings',
  description: 'Show every offering, and why some are not on sale.',
  options: asJson,
  async run(_given, { json }) {
    const { offerings: all } = await (await operatorOfHere()).offerings();
    const rows = all.map(({ id, name, on_sale: sold, hidden }) => [name, id, sold ? 'yes' : 'no', hidden]);
    printFor(json, all, table(['OFFERING', 'ID', 'ON SALE', 'REASON'], rows));
    return 0;
  },
});
