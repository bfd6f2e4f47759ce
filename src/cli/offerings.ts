import type { CliCommand } from './command.ts';
import { operatorOfHere } from './operator-of-here.ts';
import { table } from './table.ts';

interface OfferingAnswer {
  readonly id: string;
  readonly name: string;
  readonly on_sale: boolean;
  readonly hidden?: string;
}

export const offerings: CliCommand = {
  usage: 'offerings',
  description: 'Show every offering, and why some are not on sale.',
  async run() {
    const answer = await operatorOfHere().get<{ offerings: readonly OfferingAnswer[] }>(
      '/operator/offerings',
    );
    const rows = answer.offerings.map(({ id, name, on_sale: sold, hidden }) => [
      name,
      id,
      sold ? 'yes' : 'no',
      hidden,
    ]);
    console.log(table(['OFFERING', 'ID', 'ON SALE', 'REASON'], rows));
    return 0;
  },
};
