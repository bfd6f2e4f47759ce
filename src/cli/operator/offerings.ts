import { defineCommand } from '../command.ts';
import { operatorOfHere } from './operator-of-here.ts';
import { table } from '../table.ts';
import { print } from '../output/print.ts';

export const offerings = defineCommand({
  words: 'offerings',
  description: 'Show every offering, and why some are not on sale.',
  async run() {
    const answer = await operatorOfHere().offerings();
    const rows = answer.offerings.map(({ id, name, on_sale: sold, hidden }) => [
      name,
      id,
      sold ? 'yes' : 'no',
      hidden,
    ]);
    print(table(['OFFERING', 'ID', 'ON SALE', 'REASON'], rows));
    return 0;
  },
});
